import session, { type SessionData, type Store } from 'express-session';
import type { Duration, Namespace } from '../index.js';
import { type FleetKeys, isFleet, type Keys } from './keyspace.js';

/** Settings of the store. */
export interface SessionStoreOptions {
  /** Name of the namespace of the cache that the sessions are kept in. Default `'session'`. */
  prefix?: string | undefined;
  /** TTL of a session whose cookie has no end of its own; default the cache's. */
  ttl?: Duration | undefined;
}

type Callback<T = void> = (error: unknown, result?: T) => void;

/**
 * A store for [express-session](https://expressjs.com/en/resources/middleware/session.html):
 * `session({ store: sessionStore(cache), secret })`. A session lives as long as its cookie, and is kept as JSON, as in
 * express-session's own store. One that is evicted, or too large for the cache, is a visitor without a session. Over a fleet
 * the store has no `all` and no `length`.
 */
export function sessionStore(cache: Keys | FleetKeys, options: SessionStoreOptions = {}): Store {
  const prefix = options.prefix ?? 'session';
  if (isFleet(cache)) return new FleetSessionStore(cache.namespace(prefix), options.ttl);
  return new LocalSessionStore(cache.namespace<string>(prefix), options.ttl);
}

abstract class SessionStore<S extends Namespace<string> | FleetKeys> extends session.Store {
  protected readonly sessions: S;
  readonly #ttl: Duration | undefined;

  constructor(sessions: S, ttl: Duration | undefined) {
    super();
    this.sessions = sessions;
    this.#ttl = ttl;
  }

  override get(sid: string, callback: Callback<SessionData | null>): void {
    answer(callback, async () => {
      const text = await this.sessions.get(sid);
      return text === undefined ? null : (JSON.parse(text as string) as SessionData);
    });
  }

  override set(sid: string, data: SessionData, callback?: Callback): void {
    answer(callback, async () => {
      await this.sessions.put(sid, JSON.stringify(data), { ttl: this.ttlOf(data) });
    });
  }

  override destroy(sid: string, callback?: Callback): void {
    answer(callback, async () => {
      await this.sessions.delete(sid);
    });
  }

  override clear(callback?: Callback): void {
    answer(callback, async () => this.sessions.clear());
  }

  /** An end that is no date is none. */
  protected ttlOf({ cookie }: SessionData): Duration | undefined {
    const end = cookie?.expires;
    const ms = end ? new Date(end).getTime() - Date.now() : Number.NaN;
    return Number.isNaN(ms) ? this.#ttl : Math.max(0, ms);
  }
}

class LocalSessionStore extends SessionStore<Namespace<string>> {
  /** A request that changed nothing: the session has the new cookie, and what another request has stored meanwhile. */
  override touch(sid: string, data: SessionData, callback?: Callback): void {
    answer(callback, async () => {
      const change = (stored: string | undefined): string | undefined =>
        stored && JSON.stringify({ ...JSON.parse(stored), cookie: data.cookie });
      this.sessions.update(sid, change, { ttl: this.ttlOf(data) });
    });
  }

  override all(callback: Callback<{ [sid: string]: SessionData }>): void {
    answer(callback, async () =>
      Object.fromEntries(Array.from(this.sessions.entries(), ([sid, text]) => [sid, JSON.parse(text) as SessionData])),
    );
  }

  override length(callback: Callback<number>): void {
    answer(callback, async () => this.sessions.size);
  }
}

class FleetSessionStore extends SessionStore<FleetKeys> {
  /** The session lives on. Its cookie stays as it is stored: express-session begins its time anew with each request. */
  override touch(sid: string, data: SessionData, callback?: Callback): void {
    answer(callback, async () => {
      await this.sessions.touch(sid, this.ttlOf(data));
    });
  }
}

/** Calls back in a later turn, as every store does, with what `work` gave or threw. */
function answer<T>(callback: Callback<T> | undefined, work: () => Promise<T>): void {
  work().then(
    (result) => callback && setImmediate(() => callback(null, result)),
    (error: unknown) => callback && setImmediate(() => callback(error)),
  );
}

import session, { type SessionData, type Store } from 'express-session';
import type { Duration, Namespace } from '../index.js';
import type { Keys } from './keyspace.js';

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
 * express-session's own store. One that is evicted, or too large for the cache, is a visitor without a session.
 */
export function sessionStore(cache: Keys, options: SessionStoreOptions = {}): Store {
  return new SessionStore(cache.namespace<string>(options.prefix ?? 'session'), options.ttl);
}

class SessionStore extends session.Store {
  readonly #sessions: Namespace<string>;
  readonly #ttl: Duration | undefined;

  constructor(sessions: Namespace<string>, ttl: Duration | undefined) {
    super();
    this.#sessions = sessions;
    this.#ttl = ttl;
  }

  override get(sid: string, callback: Callback<SessionData | null>): void {
    answer(callback, () => parsed(this.#sessions.get(sid)) ?? null);
  }

  override set(sid: string, data: SessionData, callback?: Callback): void {
    answer(callback, () => {
      this.#sessions.put(sid, JSON.stringify(data), { ttl: this.#ttlOf(data) });
    });
  }

  override destroy(sid: string, callback?: Callback): void {
    answer(callback, () => {
      this.#sessions.delete(sid);
    });
  }

  /** A request that changed nothing: the session has the new cookie, and what another request has stored meanwhile. */
  override touch(sid: string, data: SessionData, callback?: Callback): void {
    answer(callback, () => {
      const change = (stored: string | undefined): string | undefined =>
        stored && JSON.stringify({ ...JSON.parse(stored), cookie: data.cookie });
      this.#sessions.update(sid, change, { ttl: this.#ttlOf(data) });
    });
  }

  override all(callback: Callback<{ [sid: string]: SessionData }>): void {
    answer(callback, () =>
      Object.fromEntries(Array.from(this.#sessions.entries(), ([sid, text]) => [sid, JSON.parse(text) as SessionData])),
    );
  }

  override length(callback: Callback<number>): void {
    answer(callback, () => this.#sessions.size);
  }

  override clear(callback?: Callback): void {
    answer(callback, () => this.#sessions.clear());
  }

  /** An end that is no date is none. */
  #ttlOf({ cookie }: SessionData): Duration | undefined {
    const end = cookie?.expires;
    const ms = end ? new Date(end).getTime() - Date.now() : Number.NaN;
    return Number.isNaN(ms) ? this.#ttl : Math.max(0, ms);
  }
}

function parsed(text: string | undefined): SessionData | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as SessionData);
}

/** Calls back in a later turn, as every store does, with what `work` gave or threw. */
function answer<T>(callback: Callback<T> | undefined, work: () => T): void {
  let error: unknown = null;
  let result: T | undefined;
  try {
    result = work();
  } catch (thrown) {
    error = thrown;
  }
  if (callback !== undefined) setImmediate(() => callback(error, result));
}

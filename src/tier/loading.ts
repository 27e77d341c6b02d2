import { checkTags } from '../arguments.js';
import { toMs } from '../duration.js';
import { NoResult } from '../flight/no-result.js';
import type { LoaderContext } from '../flight/options.js';
import { clearInterval, setInterval } from '../sync/monotonic.js';
import { idIn, newId, type RemoteEntry } from './entry-format.js';
import type { Begun, Draft, Member } from './member.js';
import { ASK, FILL, RELEASE, RENEW } from './scripts.js';

/** A member that dies while it loads holds its lease no longer. */
const LEASE_MS = 5_000;
/** Longest sleep between two looks at whether the awaited news came: another process cannot wake this one. */
const SLICE_MS = 5;

/** What a load is asked for, with defaults. */
export interface LoadRequest {
  readonly path: readonly string[];
  readonly key: string;
  readonly loader: (key: string, context: LoaderContext<unknown>) => unknown;
  readonly ttl: number;
  readonly tags: readonly string[];
  readonly staleTtl: number;
  readonly grace: number;
  readonly jitter: number;
  /** Whether a value that is there will not do. */
  readonly isForced: boolean;
  /** ms that a value has to live yet to be taken instead of a load. */
  readonly leastLeft: number;
}

/** The load waited for another member's, and looks again. */
export const AGAIN = new NoResult('again');

/**
 * The fleet's half of a load: one loader in the fleet for a missing key. Who finds no value takes a lease at the remote, in the
 * same step, and fills with it; a write of the key breaks it, so what was read before that write is handed out and not kept.
 * The others of the fleet, one of each machine, sleep until they are told of the key, and look again. The lease is renewed
 * while the loader runs, and ends by itself when its member dies.
 */
export class FleetLoad {
  readonly #member: Member;
  readonly #request: LoadRequest;
  readonly #context: LoaderContext<unknown>;
  readonly #name: string;
  readonly #token = newId();
  /** What the remote has, past its TTL. */
  #old: RemoteEntry | undefined;
  /** What the loader has said of its result. */
  #ttl: number;
  #tags: readonly string[];
  #isSkipped = false;

  constructor(member: Member, request: LoadRequest, context: LoaderContext<unknown>) {
    this.#member = member;
    this.#request = request;
    this.#context = context;
    this.#name = member.keys.entry(request.path, request.key);
    this.#ttl = request.ttl * (1 - request.jitter * Math.random());
    this.#tags = request.tags;
  }

  /** Throws AGAIN, or what the loader throws. */
  async run(): Promise<unknown> {
    if (!this.#member.isUsable(this.#name)) return this.#loadAlone();
    const answer = await this.#member.or(this.#ask(), () => undefined);
    if (answer === undefined) return this.#loadAlone();
    if (answer === 'lease') return this.#lead();
    if ('wait' in answer) return this.#wait(answer.wait);
    this.#store(answer.left, answer.tags);
    return answer.value;
  }

  /** A value that will do, or the lease, or how long another has it. Rejects with Unreachable. */
  async #ask(): Promise<'lease' | { wait: number } | { value: unknown; left: number; tags: readonly string[] }> {
    const { counters } = this.#member;
    let rejected: Buffer = Buffer.alloc(0);
    // As of a get: a writer that died may have left it.
    this.#member.near.unmark(this.#name);
    for (;;) {
      const answer = await this.#member.timed('load', () =>
        this.#member.remote.runOn(this.#name, ASK, [this.#token, `${LEASE_MS}`, rejected]),
      );
      if (answer === 1) {
        counters.misses++;
        return 'lease';
      }
      if (typeof answer === 'number') return { wait: -answer };
      const found = await this.#usable(answer);
      if (found !== undefined) {
        counters.hits++;
        return found;
      }
      rejected = idIn(answer as Buffer);
    }
  }

  async #usable(octets: unknown): Promise<{ value: unknown; left: number; tags: readonly string[] } | undefined> {
    const { path, isForced, leastLeft } = this.#request;
    const entry = this.#member.decode(octets);
    if (entry === undefined || !(await this.#member.isCurrent(entry, path))) return undefined;
    const left = entry.expires - this.#member.remote.now();
    if (isForced || left <= leastLeft) {
      this.#old = entry;
      return undefined;
    }
    const value = this.#member.valueOf(entry);
    return value === undefined ? undefined : { value, left, tags: entry.tags.map(([tag]) => tag) };
  }

  /** Sleeps until the fleet hears of the key, or the lease may be over. */
  async #wait(leaseMs: number): Promise<never> {
    const { near, link, counters } = this.#member;
    counters.waits++;
    near.expect(this.#name);
    // What came before that was not heard.
    const again = await this.#member.or(
      this.#member.remote.ask((client) => client.getRange(this.#name, 0, 0)),
      () => '',
    );
    const isThere = Buffer.isBuffer(again) && again.length > 0 && !this.#request.isForced;
    const endsAt = performance.now() + leaseMs + 1;
    while (
      !isThere &&
      near.isExpected(this.#name) &&
      performance.now() < endsAt &&
      !this.#context.signal.aborted &&
      link.isUp
    ) {
      await link.wait(link.news, SLICE_MS);
    }
    throw AGAIN;
  }

  /** Loads for the fleet. */
  async #lead(): Promise<unknown> {
    const member = this.#member;
    const renewal = setInterval(() => {
      member.remote.runOn(this.#name, RENEW, [this.#token, `${LEASE_MS}`]).catch(() => {});
    }, LEASE_MS / 3);
    renewal.unref();
    let isFilled = false;
    try {
      const begun = await member.or(member.begin(this.#request.path, this.#request.tags), () => undefined);
      const value = await this.#load();
      if (this.#isSkipped) this.#context.skip();
      else isFilled = await this.#fill(value, begun);
      return value;
    } finally {
      clearInterval(renewal);
      if (!isFilled) void this.#release();
    }
  }

  /** Whether the lease is given back with it. */
  async #fill(value: unknown, begun: Begun | undefined): Promise<boolean> {
    const member = this.#member;
    const ttl = this.#ttl + this.#request.staleTtl;
    const draft = { packed: member.pack(value), ttl, tags: this.#tags, grace: this.#request.grace };
    this.#store(ttl, this.#tags);
    if (begun === undefined) return false;
    const filled = await member.or<unknown>(this.#fillRemote(draft, begun), () => undefined);
    if (filled === 0) {
      member.counters.fillsRefused++;
      this.#context.skip();
    }
    return filled === 1;
  }

  async #fillRemote(draft: Draft, begun: Begun): Promise<unknown> {
    const { near, remote } = this.#member;
    const entry = await this.#member.encode(draft, begun);
    if (entry === undefined) return 0;
    near.mark(this.#name, entry.id);
    return this.#member.timed('fill', () => remote.runOn(this.#name, FILL, [this.#token, entry.octets, entry.px]));
  }

  /** Frees the lease, and tells who waits for it. */
  async #release(): Promise<void> {
    const { remote, keys } = this.#member;
    try {
      const released = await remote.runOn(this.#name, RELEASE, [this.#token]);
      if (released === 1)
        await remote.ask((client) => client.set(keys.freed(this.#name), Buffer.of(1), { PX: LEASE_MS }));
    } catch {
      // Then it ends by itself.
    }
  }

  /** Loads for this machine, while the remote is not to be had. */
  async #loadAlone(): Promise<unknown> {
    const value = await this.#load();
    if (this.#isSkipped) this.#context.skip();
    const { unlinkedTtl } = this.#member.settings;
    this.#store(Math.min(this.#ttl + this.#request.staleTtl, unlinkedTtl), this.#tags);
    return value;
  }

  async #load(): Promise<unknown> {
    const { loader, key, path, grace } = this.#request;
    const { counters } = this.#member;
    counters.loads++;
    try {
      return await loader(key, this.#loaderContext());
    } catch (error) {
      const old = this.#old;
      if (grace === 0 || old === undefined || old.expires + grace <= this.#member.remote.now()) throw error;
      const isCurrent = await this.#member.or(this.#member.isCurrent(old, path), () => false);
      const value = isCurrent ? this.#member.valueOf(old) : undefined;
      if (value === undefined) throw error;
      this.#isSkipped = true;
      return value;
    }
  }

  #loaderContext(): LoaderContext<unknown> {
    const context = this.#context;
    const old = this.#old;
    const stale = context.stale ?? (old === undefined ? undefined : this.#member.valueOf(old));
    return {
      get signal() {
        return context.signal;
      },
      ...(stale === undefined ? {} : { stale }),
      setTtl: (ttl) => {
        this.#ttl = toMs(ttl);
      },
      setTags: (tags) => {
        this.#tags = checkTags(tags);
      },
      skip: () => {
        this.#isSkipped = true;
      },
    };
  }

  /** How the local cache is to keep what it gets. Its own `staleTtl` comes on top. */
  #store(left: number, tags: readonly string[]): void {
    this.#context.setTtl(Math.max(0, this.#member.localTtl(left) - this.#request.staleTtl));
    this.#context.setTags(tags);
  }
}

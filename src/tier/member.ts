import { crc32 } from 'node:zlib';
import { SharedCache } from '../cache.js';
import { describe, SharedCacheError } from '../errors.js';
import type { SharedMonitor } from '../monitor/monitor.js';
import type { Session } from '../session.js';
import { monotonicMs } from '../sync/monotonic.js';
import { decodeEntry, encodeEntry, newId, type RemoteEntry } from './entry-format.js';
import { Generations } from './generations.js';
import { Link } from './link.js';
import { Near } from './near.js';
import type { Settings } from './options.js';
import { type Packed, pack, unpack } from './packing.js';
import { Reads } from './reads.js';
import { Remote, Unreachable } from './remote.js';
import { RemoteKeys } from './remote-keys.js';
import { Repairs } from './repairs.js';

/** What a member has counted of its remote. */
export interface RemoteStats {
  /** Reads that the remote answered with a living value. */
  hits: number;
  misses: number;
  /** Answers that were errors, lost connections, and entries that were damaged. */
  errors: number;
  timeouts: number;
  /** Keys and tags that this machine was told of, its own writes included. */
  invalidations: number;
  /** How often everything from the remote was dropped. */
  flushes: number;
  /** Loads whose result was not stored, since the key was written meanwhile. */
  fillsRefused: number;
  /** Writes that had not reached the remote and were made good. */
  repairs: number;
  /** Loaders run here. */
  loads: number;
  /** Loads that waited for another member's. */
  waits: number;
}

/** An entry to be written, whatever its expiry. */
export interface Draft {
  readonly packed: Packed;
  /** ms, Infinity for ever. */
  readonly ttl: number;
  readonly tags: readonly string[];
  /** ms after the TTL in which the remote keeps it. */
  readonly grace: number;
}

/** What holds when a write or a load begins: what ends one of these afterwards ends what it writes. */
export interface Begun {
  readonly path: readonly string[];
  readonly generations: readonly Buffer[];
  readonly ofTags: ReadonlyMap<string, Buffer>;
  /** The number of the machine's last invalidation. */
  readonly number: number;
}

/** An entry for the remote. */
export interface Encoded {
  readonly octets: Buffer;
  readonly px: string;
  readonly id: string;
}

/** One thread's part in a fleet: what all keyspaces of a TieredCache share. */
export class Member {
  readonly settings: Settings;
  readonly session: Session;
  readonly near: Near;
  readonly link: Link;
  readonly keys: RemoteKeys;
  readonly remote: Remote;
  readonly reads: Reads;
  readonly generations: Generations;
  readonly repairs: Repairs;
  readonly counters = { hits: 0, misses: 0, damaged: 0, fillsRefused: 0, loads: 0, waits: 0 };
  isClosed = false;

  constructor(settings: Settings) {
    this.settings = settings;
    this.session = SharedCache.sessionOf(settings.local);
    this.near = new Near(this.session);
    this.link = new Link(this.session.open());
    this.keys = new RemoteKeys(settings.prefix);
    if (!this.link.enter(crc32(settings.prefix) | 1, () => this.near.drop())) throw ofAnotherFleet(settings.prefix);
    this.remote = new Remote(settings, this.keys);
    this.reads = new Reads(this.remote, !('cluster' in settings.remote) || this.keys.areInOneSlot);
    this.generations = new Generations(this.remote, this.near, this.link, this.keys, settings.unlinkedTtl);
    this.repairs = new Repairs(this.remote, this.generations, this.keys, (entry) => this.#repaired(entry));
  }

  /** Throws ERR_CLOSED. */
  open(): void {
    if (!this.isClosed) return;
    throw new SharedCacheError('ERR_CLOSED', 'this TieredCache was closed; TieredCache.open makes another');
  }

  /** Whether the remote is worth asking for the entry. */
  isUsable(name: string): boolean {
    return this.remote.isUsable && !this.repairs.has(name);
  }

  stats(): RemoteStats {
    const { damaged, ...counted } = this.counters;
    const { errors, timeouts } = this.remote.counters;
    return {
      ...counted,
      errors: errors + damaged,
      timeouts,
      invalidations: this.link.invalidations,
      flushes: this.link.flushes,
      repairs: this.repairs.done,
    };
  }

  /** Asks the remote, and has the local cache's monitor know how long that took. Rejects with Unreachable. */
  timed<T>(operation: string, ask: () => Promise<T>): Promise<T> {
    const { monitor } = this.settings.local;
    return monitor === undefined ? ask() : this.#recorded(monitor, operation, ask);
  }

  async #recorded<T>(monitor: SharedMonitor, operation: string, ask: () => Promise<T>): Promise<T> {
    const start = monotonicMs();
    let isDone = false;
    try {
      const answer = await ask();
      isDone = true;
      return answer;
    } finally {
      if (!this.isClosed) monitor.recordOperation(`remote ${operation}`, monotonicMs() - start, isDone);
    }
  }

  /** The entry in the octets, if it is one and nothing has ended it. Rejects with Unreachable. */
  async living(octets: unknown, path: readonly string[]): Promise<RemoteEntry | undefined> {
    const entry = this.decode(octets);
    return entry !== undefined && (await this.isAlive(entry, path)) ? entry : undefined;
  }

  /** Whether it has not expired, and nothing has ended it. Rejects with Unreachable. */
  async isAlive(entry: Omit<RemoteEntry, 'bytes'>, path: readonly string[]): Promise<boolean> {
    return entry.expires > this.remote.now() && this.isCurrent(entry, path);
  }

  /** The entry in the octets; what is no entry counts as an error, and is nothing. */
  decode(octets: unknown): RemoteEntry | undefined {
    if (!Buffer.isBuffer(octets)) return undefined;
    const entry = decodeEntry(octets);
    if (entry === undefined) this.counters.damaged++;
    return entry;
  }

  /** Whether no clear and no tag has ended it. Rejects with Unreachable. */
  async isCurrent(
    { generations, tags }: Pick<RemoteEntry, 'generations' | 'tags'>,
    path: readonly string[],
  ): Promise<boolean> {
    if (this.generations.areNear(path, generations, tags)) return true;
    const names = tags.map(([tag]) => tag);
    const ofTags = tags.map(([, generation]) => generation);
    const isSame = areEqual(await this.generations.ofKeyspaces(path), generations);
    if (isSame && (tags.length === 0 || areEqual(await this.generations.ofTags(path, names), ofTags))) return true;
    // It may be newer than what is near.
    return generations.length === path.length + 1 && this.generations.areCurrent(path, generations, new Map(tags));
  }

  /** Rejects with Unreachable. */
  async begin(path: readonly string[], tags: readonly string[]): Promise<Begun> {
    const number = this.near.now();
    const [generations, ofTags] = await Promise.all([
      this.generations.ofKeyspaces(path),
      this.generations.ofTags(path, tags),
    ]);
    return { path, generations, ofTags: new Map(tags.map((tag, i) => [tag, ofTags[i]])), number };
  }

  /**
   * Writes what begins now, again if it turns out to have begun before an invalidation that was not heard of yet: what follows
   * an invalidation must be seen. `isOnce`: what is sent twice counts twice, unless its keyspace was cleared in between; so its
   * tags are looked at before. Rejects with Unreachable.
   */
  async write<T>(
    draft: Draft,
    path: readonly string[],
    send: (entry: Encoded, begun: Begun) => Promise<T>,
    isOnce = false,
  ): Promise<T> {
    const { generations } = this;
    const isFirst = isOnce && draft.tags.length > 0;
    for (;;) {
      const begun = await this.begin(path, draft.tags);
      if (isFirst && !(await generations.areCurrent(path, begun.generations, begun.ofTags))) continue;
      const entry = await this.encode(draft, begun);
      if (entry === undefined) throw new Unreachable('overtaken');
      // One trip: the questions go out together.
      const [answer, isCurrent] = await Promise.all([
        send(entry, begun),
        generations.areCurrent(path, begun.generations, isFirst ? new Map() : begun.ofTags),
      ]);
      if (isCurrent) return answer;
    }
  }

  /**
   * What the entry becomes at the remote, and when that drops it; undefined when it was overtaken. A tag that the loader named
   * last of all is as it is now, unless the machine was told of it since. Rejects with Unreachable.
   */
  async encode(
    { packed, ttl, tags, grace }: Draft,
    begun: Begun,
  ): Promise<{ octets: Buffer; px: string; id: string } | undefined> {
    const later = tags.filter((tag) => !begun.ofTags.has(tag));
    const ofLater = await this.generations.ofTags(begun.path, later);
    if (later.length > 0 && (!this.link.isUp || this.near.isOvertaken(begun.path, later, begun.number)))
      return undefined;
    const known = new Map([...begun.ofTags, ...later.map((tag, i) => [tag, ofLater[i]] as const)]);
    const id = newId();
    const octets = encodeEntry({
      id,
      expires: this.remote.now() + ttl,
      generations: begun.generations,
      tags: tags.map((tag) => [tag, known.get(tag) as Buffer] as const),
      ...packed,
    });
    return { octets, px: pxOf(ttl + grace), id: id.toString('hex') };
  }

  pack(value: unknown): Packed {
    return pack(this.session, value);
  }

  /** The entry's value; undefined, and counted, when its octets are none. */
  valueOf(packed: Packed): unknown {
    try {
      return unpack(this.session, packed);
    } catch (error) {
      if (!(error instanceof SharedCacheError)) throw error;
      this.counters.damaged++;
      return undefined;
    }
  }

  /** How long a copy may stay here, of an entry that lives `left` ms. */
  localTtl(left: number): number {
    const { localTtl, unlinkedTtl } = this.settings;
    return Math.min(left, localTtl, this.link.isUp ? Number.POSITIVE_INFINITY : unlinkedTtl);
  }

  /** What came of a question; what Unreachable stands for if that is it. */
  async or<T>(ask: Promise<T>, otherwise: () => T): Promise<T> {
    try {
      return await ask;
    } catch (error) {
      if (error instanceof Unreachable) return otherwise();
      throw error;
    }
  }

  /** Throws ERR_REMOTE_UNAVAILABLE. */
  unavailable(what: string, key: string, cause?: unknown): never {
    throw new SharedCacheError(
      'ERR_REMOTE_UNAVAILABLE',
      `${what} of ${describe(key)} needs the remote, which does not answer`,
      {
        cause: cause instanceof Unreachable ? (cause.cause ?? cause) : cause,
      },
    );
  }

  #repaired(entry: string): void {
    const name = this.keys.parse(entry);
    if (name?.kind === 'entry' && !this.isClosed) this.near.at(name.path, true).delete(name.key);
  }
}

function ofAnotherFleet(prefix: string): SharedCacheError {
  return new SharedCacheError(
    'ERR_INVALID_OPTION',
    `local already is the near tier of another prefix than ${describe(prefix)}: a SharedCache can be that of one fleet`,
  );
}

/** Whole ms for the remote, '' for ever. */
export function pxOf(ms: number): string {
  return Number.isFinite(ms) ? `${Math.max(1, Math.ceil(ms))}` : '';
}

function areEqual(now: readonly Buffer[], then: readonly Buffer[]): boolean {
  return now.length === then.length && now.every((generation, i) => generation.equals(then[i]));
}

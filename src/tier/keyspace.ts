import {
  checkStep,
  checkTagList,
  checkTags,
  checkWriteOptions,
  listKeys,
  listPairs,
  notCountable,
  type PutOptions,
  ttlOf,
} from '../arguments.js';
import type { Duration } from '../duration.js';
import type { SharedCacheError } from '../errors.js';
import { NoResult } from '../flight/no-result.js';
import { type AsyncLoadOptions, defaultLoad, type Load, type LoaderContext, resolveLoad } from '../flight/options.js';
import { type WrapOptions, wrap } from '../flight/wrap.js';
import type { CounterEntry } from '../keyspace.js';
import type { Namespace } from '../namespace.js';
import {
  decodeHead,
  encodeEntry,
  idIn,
  isNumber,
  NUMBER_HEAD,
  newId,
  type RemoteEntry,
  sectionOfNumber,
  untaggedSection,
} from './entry-format.js';
import { FleetLoad } from './loading.js';
import { type Draft, type Member, pxOf } from './member.js';
import { Unreachable } from './remote.js';
import { ADD, REMOVE, REPLACE, WRITE } from './scripts.js';

/** How long a get waits for another thread that asks the remote for the same key, ms; one that loads it takes longer. */
const GET_PATIENCE_MS = 25;
/** Octets of an entry in which all but its value mostly is. */
const HEAD_BYTES = 1_024;
/** More than any entry has. */
const ALL_BYTES = 2 ** 31;
/** Entries that are written at one time. */
const WRITES_AT_ONCE = 256;

/** A write's options, checked and with defaults. */
interface Write {
  readonly ttl: number;
  readonly tags: readonly string[];
}

/**
 * Keys of a fleet, and what can be done with them: what a TieredCache and its namespaces have in common. Names and options are
 * those of the local cache, and every method is asynchronous. None rejects because the remote is slow, full or gone, nor takes
 * longer than `remoteMs` more for it; `increment` and `incrementEntry` alone reject with ERR_REMOTE_UNAVAILABLE. Methods reject
 * with SharedCacheError only, besides what the caller's own loaders throw: ERR_INVALID_KEY, ERR_INVALID_VALUE, ERR_INVALID_TTL,
 * ERR_INVALID_OPTION, ERR_INVALID_ARGUMENT, and ERR_CLOSED after close().
 *
 * @typeParam V - The values. Nothing checks at run time what another member has put.
 */
export abstract class TieredKeyspace<V = unknown> {
  /** @internal */
  protected readonly member: Member;
  /** @internal */
  protected readonly path: readonly string[];
  /** Its part of the local cache: what is stored there while the link is up, and without it. */
  readonly #linked: Namespace<unknown>;
  readonly #alone: Namespace<unknown>;
  /** How a get loads. */
  readonly #getting: Load;
  /** Keys that getOrSet loads now, with the value that had expired, if the local cache still had it. */
  readonly #loading = new Map<string, { stale: unknown }>();

  /** @internal */
  constructor(member: Member, path: readonly string[]) {
    this.member = member;
    this.path = path;
    this.#linked = member.near.at(path, true);
    this.#alone = member.near.at(path, false);
    this.#getting = this.#linked.ownLoad({ timeoutMs: GET_PATIENCE_MS, grace: member.settings.grace });
  }

  // ---- one key -------------------------------------------------------------------------------------------------

  /** The value, from the local cache or else from the remote, where it then is near; undefined when there is none. */
  async get(key: string): Promise<V | undefined> {
    this.member.open();
    const near = this.#linked.get(key);
    return near === undefined ? await this.#fetch(key) : (near as V);
  }

  async #fetch(key: string): Promise<V | undefined> {
    const { member } = this;
    const name = this.#nameOf(key);
    if (!member.isUsable(name)) return undefined;
    // A loader may take long, which is no reason for a get to.
    if (this.#loading.has(key)) return this.#read(name);
    const loader = (_: string, context: LoaderContext<unknown>): Promise<V | undefined> => {
      // A writer that died may have left it, while its write is still on its way: news of that must end what is read now.
      member.near.unmark(name);
      return this.#read(name, context);
    };
    try {
      return (await this.#linked.loadOwn(key, loader, this.#getting)) as V | undefined;
    } catch (error) {
      if (!(error instanceof NoResult)) throw error;
      // It joined a put of this thread that the remote did not answer, and that is stored here now.
      return this.#linked.get(key) as V | undefined;
    }
  }

  /** The living value at the remote; `context`: has it kept here as long as it lives there. */
  async #read(name: string, context?: LoaderContext<unknown>): Promise<V | undefined> {
    const { member } = this;
    let entry: RemoteEntry | undefined;
    try {
      entry = await member.living(await member.timed('get', () => member.reads.get(name)), this.path);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
    const value = entry === undefined ? undefined : (member.valueOf(entry) as V | undefined);
    member.counters[value === undefined ? 'misses' : 'hits']++;
    if (entry === undefined || value === undefined) return undefined;
    context?.setTtl(member.localTtl(entry.expires - member.remote.now()));
    context?.setTags(entry.tags.map(([tag]) => tag));
    return value;
  }

  /**
   * Stores the value in the fleet. From when it resolves, no member is served an older value once it has heard of it. While the
   * remote is gone it is stored here, and the remote's is removed as soon as there is one again; false when it had no room here.
   */
  async put(key: string, value: V, options?: PutOptions): Promise<boolean> {
    const { member } = this;
    member.open();
    const { ttl, tags } = this.#writeOf(options);
    const name = this.#nameOf(key);
    const draft: Draft = { packed: member.pack(value), ttl, tags, grace: member.settings.grace };
    if (ttl === 0) {
      await this.delete(key);
      return true;
    }
    const copy = (): unknown => (typeof value === 'object' ? member.valueOf(draft.packed) : value);
    // Whatever is read from now on is not what was here before.
    this.#linked.delete(key);
    try {
      const isNear = await this.#linked.writeOwn(
        key,
        async (_, context) => {
          await this.#write(name, draft);
          context.setTtl(member.localTtl(ttl));
          return copy();
        },
        { tags, grace: draft.grace },
      );
      // What others have read meanwhile may be older, and news of this write would keep it.
      if (!isNear) this.#linked.delete(key);
      return true;
    } catch (error) {
      if (error instanceof Unreachable) return this.#putAlone(key, name, copy(), draft);
      // Inside of the key's own loader.
      if ((error as Partial<SharedCacheError>).code !== 'ERR_RECURSIVE_LOAD') throw error;
      const isWritten = await member.or(
        this.#write(name, draft).then(() => true),
        () => false,
      );
      this.#linked.delete(key);
      return isWritten || this.#putAlone(key, name, copy(), draft);
    }
  }

  /** The same as `put`. */
  set(key: string, value: V, options?: PutOptions): Promise<boolean> {
    return this.put(key, value, options);
  }

  async #write(name: string, draft: Draft): Promise<void> {
    const { member } = this;
    if (!member.isUsable(name)) throw new Unreachable('it is down');
    await member.timed('put', () =>
      member.write(draft, this.path, ({ octets, px, id }) => {
        member.near.mark(name, id);
        return member.remote.runOn(name, WRITE, [octets, px]);
      }),
    );
  }

  #putAlone(key: string, name: string, value: unknown, { ttl, tags }: Draft): boolean {
    this.member.repairs.add(name);
    return this.#alone.put(key, value, { ttl, tags });
  }

  /** Removes the key from the fleet; true if a living entry was removed. */
  async delete(key: string): Promise<boolean> {
    return (await this.#remove(key, HEAD_BYTES)).isRemoved;
  }

  /** The living value, removed in the same step: of any number of members exactly one gets it, as long as the remote answers. */
  async take(key: string): Promise<V | undefined> {
    const { octets, near } = await this.#remove(key, ALL_BYTES);
    if (octets === undefined) return near;
    const { member } = this;
    const entry = await member.or(member.living(octets, this.path), () => undefined);
    return entry === undefined ? undefined : (member.valueOf(entry) as V | undefined);
  }

  /** Removes the key; `octets` are the first ones of what the remote had, null for nothing, undefined while it is gone. */
  async #remove(
    key: string,
    bytes: number,
  ): Promise<{ isRemoved: boolean; octets: Buffer | null | undefined; near: V | undefined }> {
    const { member } = this;
    member.open();
    const name = this.#nameOf(key);
    const near = this.#linked.take(key) as V | undefined;
    member.near.unmark(name);
    const removed = member.isUsable(name)
      ? await member.or(
          member.timed('delete', () => member.remote.runOn(name, REMOVE, [`${bytes}`])),
          () => undefined,
        )
      : undefined;
    // What was read before the remote had it removed.
    this.#linked.delete(key);
    if (removed === undefined) {
      member.repairs.add(name);
      return { isRemoved: near !== undefined, octets: undefined, near };
    }
    const octets = Buffer.isBuffer(removed) ? removed : null;
    const head = octets === null ? undefined : decodeHead(octets);
    // The remote had it, and cannot say more: it is taken for alive.
    const isAlive = head !== undefined && (await member.or(member.isAlive(head, this.path), () => true));
    return { isRemoved: isAlive, octets, near };
  }

  /** Whether the key is there; no access is counted. */
  async has(key: string): Promise<boolean> {
    this.member.open();
    return this.#linked.has(key) || (await this.expiresIn(key)) !== undefined;
  }

  /** ms until the key expires, Infinity when it never does, undefined when it is absent. */
  async expiresIn(key: string): Promise<number | undefined> {
    const { member } = this;
    member.open();
    const near = this.#linked.expiresIn(key);
    const name = this.#nameOf(key);
    if (!member.isUsable(name)) return near;
    return member.or(
      (async () => {
        const head = await this.#headOf(name);
        return head === undefined ? undefined : head.expires - member.remote.now();
      })(),
      () => near,
    );
  }

  /** What the living entry has besides its value. */
  async #headOf(name: string): Promise<Omit<RemoteEntry, 'bytes'> | undefined> {
    const { member } = this;
    const range = (end: number): Promise<unknown> => member.remote.ask((client) => client.getRange(name, 0, end));
    let octets = await range(HEAD_BYTES - 1);
    let head = Buffer.isBuffer(octets) ? decodeHead(octets) : undefined;
    // With many long tags.
    if (head === undefined && Buffer.isBuffer(octets) && octets.length === HEAD_BYTES) {
      octets = await range(ALL_BYTES - 1);
      head = decodeHead(octets as Buffer);
    }
    return head !== undefined && (await member.isAlive(head, this.path)) ? head : undefined;
  }

  /** Gives a living key a new TTL, and new tags if it is given some; false when it is absent. */
  async touch(key: string, ttl?: Duration | undefined, options?: Pick<PutOptions, 'tags'>): Promise<boolean> {
    const { member } = this;
    member.open();
    const write = this.#writeOf({ ...options, ttl });
    const name = this.#nameOf(key);
    if (!member.isUsable(name)) return this.#linked.touch(key, write.ttl, options);
    const isTouched = await member.or(
      this.#touch(name, write.ttl, options?.tags === undefined ? undefined : write.tags),
      () => undefined,
    );
    if (isTouched === undefined) return this.#linked.touch(key, write.ttl, options);
    this.#linked.delete(key);
    return isTouched;
  }

  async #touch(name: string, ttl: number, tags: readonly string[] | undefined): Promise<boolean> {
    const { member } = this;
    for (;;) {
      const entry = await member.living(await member.remote.ask((client) => client.get(name)), this.path);
      if (entry === undefined) return false;
      const ofTags = tags === undefined ? [] : await member.generations.ofTags(this.path, tags);
      const next = {
        ...entry,
        id: newId(),
        expires: member.remote.now() + ttl,
        tags: tags === undefined ? entry.tags : tags.map((tag, i) => [tag, ofTags[i]] as const),
      };
      const args = [entry.id, encodeEntry(next), pxOf(ttl + member.settings.grace)];
      if ((await member.remote.runOn(name, REPLACE, args)) === 1) return true;
    }
  }

  /**
   * Adds `by` to the number under the key, in one step of the fleet, and resolves to the sum; an absent key counts as 0 and gets
   * the TTL and the tags, a present one keeps its own. Rejects with ERR_REMOTE_UNAVAILABLE while the remote is gone: a counter
   * cannot be guessed; with ERR_INVALID_VALUE when the entry is not a number or the sum would not be one.
   */
  async increment(key: string, by = 1, options?: PutOptions): Promise<number> {
    return (await this.incrementEntry(key, by, options)).value;
  }

  /** As increment, with the ms until the counter expires. */
  async incrementEntry(key: string, by = 1, options?: PutOptions): Promise<CounterEntry> {
    const { member } = this;
    member.open();
    checkStep(by);
    const { ttl, tags } = this.#writeOf(options);
    const name = this.#nameOf(key);
    if (!member.isUsable(name)) member.unavailable('increment', key);
    this.#linked.delete(key);
    member.near.unmark(name);
    try {
      return await this.#add(key, name, by, { packed: member.pack(by), ttl, tags, grace: member.settings.grace });
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      // It may have counted: whoever is served an older number from here is not served it long.
      return member.unavailable('increment', key, error);
    } finally {
      this.#linked.delete(key);
    }
  }

  async #add(key: string, name: string, by: number, draft: Draft): Promise<CounterEntry> {
    const { member } = this;
    let living: Buffer = Buffer.alloc(0);
    let dead: Buffer = Buffer.alloc(0);
    for (;;) {
      const answer = await member.timed('increment', () =>
        member.write(
          draft,
          this.path,
          ({ octets, px }, { generations }) => {
            const section = untaggedSection(generations);
            return member.remote.runOn(name, ADD, [`${by}`, NUMBER_HEAD, section, living, dead, newId(), octets, px]);
          },
          true,
        ),
      );
      if (Array.isArray(answer)) {
        const [sum, expires] = answer.map(numberOf);
        return { value: sum, expiresIn: Math.max(0, expires - member.remote.now()) };
      }
      const octets = answer as Buffer;
      if (octets.toString() === 'nan') throw notCountable(key, by, 'not a number');
      const there = await member.living(octets, this.path);
      if (there === undefined) {
        dead = idIn(octets);
      } else if (isNumber(octets)) {
        living = sectionOfNumber(octets);
      } else {
        throw notCountable(key, by, 'mismatch');
      }
    }
  }

  // ---- many keys -----------------------------------------------------------------------------------------------

  /** What get resolves to for each key, in order. */
  async getMany(keys: readonly string[]): Promise<(V | undefined)[]> {
    const list = this.#checkKeys(keys);
    return Promise.all(list.map((key) => this.get(key)));
  }

  /** Stores all entries, and resolves to how many were stored. All are checked before the first is stored. */
  async putMany(entries: Iterable<readonly [string, V]>, options?: PutOptions): Promise<number> {
    this.#writeOf(options);
    const list = listPairs(entries);
    this.#checkKeys(list.map(([key]) => key));
    for (const [, value] of list) this.member.pack(value);
    // The last of a key wins, as if they were stored one after the other.
    const last = [...new Map(list)];
    const stored = new Set<string>();
    for (let from = 0; from < last.length; from += WRITES_AT_ONCE) {
      const batch = last.slice(from, from + WRITES_AT_ONCE);
      const done = await Promise.all(batch.map(([key, value]) => this.put(key, value, options)));
      for (const [i, [key]] of batch.entries()) if (done[i]) stored.add(key);
    }
    return list.filter(([key]) => stored.has(key)).length;
  }

  /** Removes the keys, and resolves to how many living entries were removed. */
  async deleteMany(keys: readonly string[]): Promise<number> {
    const list = this.#checkKeys(keys);
    const removed = await Promise.all([...new Set(list)].map((key) => this.delete(key)));
    return removed.filter(Boolean).length;
  }

  // ---- loading -------------------------------------------------------------------------------------------------

  /**
   * The value under the key; for a missing key `loader` runs once in the fleet, and every caller gets its result. If its member
   * dies, another loads after the lease of 5 s; while the remote is gone, one loads on each machine. What was loaded while its
   * key was written or invalidated is handed out and not stored. With `softMs`, a value within `grace` is handed out when the
   * load takes longer.
   */
  async getOrSet(
    key: string,
    loader: (key: string, context: LoaderContext<V>) => V | Promise<V>,
    options: AsyncLoadOptions = {},
  ): Promise<V> {
    const { member } = this;
    member.open();
    const load = resolveLoad(loader, options, defaultLoad(member.settings.ttl));
    const { ttl, tags, staleTtl, jitter, refreshAhead, force } = load;
    const grace = options.grace === undefined ? member.settings.grace : load.grace;
    if (!force && staleTtl === 0 && refreshAhead === 0) {
      const near = this.#linked.get(key);
      if (near !== undefined) return near as V;
    }
    const space = member.link.isUp ? this.#linked : this.#alone;
    const fleetLoader = async (_: string, context: LoaderContext<unknown>): Promise<unknown> => {
      this.#loading.set(key, { stale: context.stale });
      const isRefresh = !force && space.has(key);
      const request = { path: this.path, key, loader: loader as FleetLoader, ttl, tags, staleTtl, grace, jitter };
      const leastLeft = staleTtl + (isRefresh ? refreshAhead * ttl : 0);
      try {
        return await new FleetLoad(member, { ...request, isForced: force, leastLeft }, context).run();
      } finally {
        this.#loading.delete(key);
      }
    };
    const { softMs } = member.settings;
    const loaded = this.#untilLoaded(() => space.getOrSet(key, fleetLoader, { ...options, ttl, grace, jitter: 0 }));
    return (grace > 0 && softMs !== Number.POSITIVE_INFINITY ? this.#soft(key, loaded, softMs) : loaded) as Promise<V>;
  }

  async #untilLoaded(load: () => Promise<unknown>): Promise<unknown> {
    for (;;) {
      try {
        return await load();
      } catch (error) {
        // Of a put of this thread that it joined; then it asks itself.
        if (!(error instanceof NoResult)) throw error;
      }
    }
  }

  /** What is loaded, or after `softMs` the value that has expired, if there is one: then the load goes on. */
  async #soft(key: string, loaded: Promise<unknown>, softMs: number): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<unknown>((resolve) => {
      timer = setTimeout(() => {
        const stale = this.#loading.get(key)?.stale;
        if (stale === undefined) return;
        loaded.catch(() => {});
        resolve(this.member.valueOf(this.member.pack(stale)));
      }, softMs);
    });
    try {
      return await Promise.race([loaded, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** `fn` with its results kept in the fleet: a call loads by `getOrSet` what no call with that key has loaded before. */
  wrap<A extends readonly unknown[]>(
    fn: (...args: A) => V | Promise<V>,
    options: WrapOptions<A>,
  ): (...args: A) => Promise<V> {
    return wrap(fn, options, defaultLoad(this.member.settings.ttl), (...load) => this.getOrSet(...load));
  }

  // ---- tags and clearing ---------------------------------------------------------------------------------------

  /**
   * Ends every entry of the fleet that was put here with one of the tags before. Takes as long as there are tags, whatever the
   * number of entries.
   */
  async invalidateTags(tags: string | readonly string[]): Promise<void> {
    this.member.open();
    const list = checkTagList(tags);
    const end = (): void => {
      this.#linked.invalidateTags(list);
      this.#alone.invalidateTags(list);
    };
    end();
    await Promise.all(list.map((tag) => this.#renew(this.member.keys.tag(this.path, tag))));
    end();
  }

  /** Ends everything in it and in the namespaces inside of it, at once and whatever there is. */
  async clear(): Promise<void> {
    this.member.open();
    const end = (): void => {
      this.#linked.clear();
      this.#alone.clear();
    };
    end();
    await this.#renew(this.member.keys.all(this.path));
    end();
  }

  async #renew(name: string): Promise<void> {
    const { member } = this;
    const isRenewed = await member.or(
      member.generations.renew(name).then(() => true),
      () => false,
    );
    if (!isRenewed) member.repairs.add(name);
  }

  // ---- inside --------------------------------------------------------------------------------------------------

  #writeOf(options: PutOptions | undefined): Write {
    const { ttl } = this.member.settings;
    if (options === undefined) return { ttl, tags: [] };
    checkWriteOptions(options);
    return { ttl: ttlOf(options.ttl, ttl), tags: checkTags(options.tags) };
  }

  /** Throws ERR_INVALID_KEY. */
  #nameOf(key: string): string {
    this.member.session.open().key.check(key);
    return this.member.keys.entry(this.path, key);
  }

  #checkKeys(keys: readonly string[]): readonly string[] {
    this.member.open();
    const list = listKeys(keys);
    for (const key of list) this.#nameOf(key);
    return list;
  }
}

type FleetLoader = (key: string, context: LoaderContext<unknown>) => unknown;

/** A number as Lua prints it. */
function numberOf(text: unknown): number {
  const printed = String(text);
  if (printed.endsWith('inf')) return printed.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(printed);
}

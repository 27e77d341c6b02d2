import type { Loaded } from './loaded.js';
import type { Load } from './options.js';

/** What a load gives its keyspace to store. */
export interface Settlement {
  readonly value: unknown;
  readonly load: Load;
  /** Of the options, or what the loader set. */
  readonly ttl: number;
  readonly tags: readonly string[];
  /** Whether the loader asked not to store it. */
  readonly skipped: boolean;
  /** The number of the last invalidation when the load began. */
  readonly begun: number;
  /** Whether another load of the key began before it and goes on: stored afterwards, that would bring older data back. */
  readonly isBeside: boolean;
  /** Whether the load was not overtaken; asked under the lock of the key's shard. */
  isCurrent(hashes: readonly number[]): boolean;
}

/** What a flight needs of the keyspace whose keys are loaded. */
export interface LoadTarget {
  /** Tells the keyspaces of a cache apart. */
  readonly id: string;
  /** Encodes the key into the table's key encoder. Throws ERR_CLOSED. */
  encode(key: string): void;
  /** Hashes of the keyspace's namespaces and of these tags. */
  hashesOf(tags: readonly string[]): readonly number[];
  /** The value, if it is live and fresh: not in its `staleTtl`, and not of the version `than`. */
  findFresh(key: string, staleTtl: number, than: number): Loaded | undefined;
  /** The value, even if it has expired, but no longer than `grace` ms ago. */
  findOld(key: string, grace: number): Loaded | undefined;
  /** The version of the key's live entry, 0 if there is none. */
  versionOf(key: string): number;
  /** A value of the caller's own. */
  copyOf(loaded: Loaded): unknown;
  /** Stores what was loaded, if it may be. Throws ERR_INVALID_VALUE, ERR_CLOSED. */
  settle(key: string, settlement: Settlement): Loaded;
}

import type { CacheTiming } from './cache-timing.js';
import type { Codec } from './codec/codec.js';
import { ValueEncoder } from './codec/value.js';
import { closedHere } from './errors.js';
import { defaultLoad, type Load } from './flight/options.js';
import { CONTROL } from './memory/layout.js';
import { NearCache } from './table/near-cache.js';
import type { NearObjects } from './table/near-objects.js';
import { Reading } from './table/read.js';
import type { Table } from './table/table.js';
import { ValueReader } from './value-reader.js';

/** What a write is given besides key and value, read from its options once. */
export interface Write {
  /** ms, Infinity for ever. */
  readonly ttl: number;
  readonly tags: readonly string[];
  /** ms after the TTL in which the entry is kept for a loader's failure. */
  readonly grace: number;
  /** Whether the entry is to tell the TTL it was given, which is `lifetime`. */
  readonly lifetime: number | undefined;
  /** The number of the last invalidation when what is written was read; undefined: now. */
  readonly begun: number | undefined;
}

/** A write of the user's. */
export function writeOf(ttl: number, tags: readonly string[]): Write {
  return { ttl, tags, grace: 0, lifetime: undefined, begun: undefined };
}

/**
 * What one SharedCache object of a thread has for all of its keyspaces: the table, and what turns values into bytes and
 * back. `begin()` is the gate of every call; one that has run the user's code goes through `open()` again.
 */
export class Session {
  readonly value: ValueEncoder;
  readonly reader: ValueReader;
  readonly reading = new Reading();
  /** Values that the thread may hand out again. */
  readonly near: NearCache | NearObjects;
  /** The same, when the cache's values are frozen. */
  readonly frozen: NearObjects | undefined;
  readonly defaultTtl: number;
  readonly maxEntryBytes: number;
  /** Of a write without options. */
  readonly defaultWrite: Write;
  /** Of a load without options. */
  readonly defaultLoad: Load;
  /** Whether objects are in the form of the user's codec. */
  readonly hasCodec: boolean;
  timing: CacheTiming | undefined = undefined;
  /** How often the table was read for a key, since what is near did not do. */
  tableReads = 0;
  /** Whether most keys of the last group of a getMany were not near. */
  isFar = false;
  /** The cache, which closes when it is collected: whoever holds a namespace must hold it too. */
  owner: object | undefined = undefined;
  readonly #table: Table;
  #isClosed = false;
  /** Whether a call may begin without a question: the cache is open, and the clock is the machine's. */
  #isPlain: boolean;

  constructor(table: Table, codec: Codec | undefined) {
    const { doubles } = table.arena;
    this.#table = table;
    this.#isPlain = !table.clock.isOwn;
    this.hasCodec = codec !== undefined;
    this.value = new ValueEncoder(codec);
    this.reader = new ValueReader(codec, table.frozen !== undefined);
    this.frozen = table.frozen;
    this.near = table.frozen ?? new NearCache(doubles[CONTROL.maxBytes >> 1]);
    this.defaultTtl = doubles[CONTROL.defaultTtl >> 1];
    this.defaultWrite = writeOf(this.defaultTtl, []);
    this.defaultLoad = defaultLoad(this.defaultTtl);
    this.maxEntryBytes = doubles[CONTROL.maxEntryBytes >> 1];
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    this.#isPlain = false;
  }

  /**
   * The table, for a call that begins or comes back from somewhere: by the time now, where a clock of one's own tells it.
   * From here to the lock nothing of the user's runs but what comes with a value.
   */
  begin(): Table {
    if (this.#isPlain) return this.#table;
    this.open().clock.ask();
    return this.open();
  }

  /** The table, unless the cache was closed: then it throws ERR_CLOSED. */
  open(): Table {
    if (this.#isClosed) throw closedHere();
    return this.#table;
  }

  /** The value as a get would give it: a primitive itself, else a copy of what was encoded last. */
  copyOf<V>(value: V): V {
    return typeof value === 'object' && value !== null ? (this.reader.copyOf(this.value) as V) : value;
  }
}

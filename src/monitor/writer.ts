import { threadId } from 'node:worker_threads';
import { wallMs } from '../sync/monotonic.js';
import { addToOwn, addToShared, type Sample } from './block.js';
import { MAX_NS } from './buckets.js';
import { type EncodedKey, KeyNotes } from './key-notes.js';
import { BLOCK, HEADER, NAME } from './layout.js';
import type { MonitorMemory } from './memory.js';
import { OperationNames } from './names.js';
import { RecentRing } from './recent.js';
import { MonitorThreads } from './threads.js';
import { countSecond, type Outcome } from './timeline.js';

const NOT_OPENED = 0;
const SHARED = -1;
/** A thread that found every place taken asks again after this many records. */
const CLAIM_AGAIN_AFTER = 4_096;

/** Writers of this thread by monitor id: a thread that attaches twice still is one writer. */
const writers = new Map<string, MonitorWriter>();

process.on('exit', () => {
  for (const writer of writers.values()) writer.leave();
});

/** One thread's pen: its place, its blocks, its rings. Takes a place with the first record, so readers take none. */
export class MonitorWriter {
  readonly memory: MonitorMemory;
  readonly names: OperationNames;
  readonly #blocks: Int32Array;
  readonly #outcomes: Outcome[] = [];
  readonly #sample: Sample = { durationNs: 0, sizeBytes: 0, success: true, clamped: false, operations: 1 };
  #threads: MonitorThreads | undefined;
  #ring: RecentRing | undefined;
  #keys: KeyNotes | undefined;
  #thread = -1;
  #untilClaim = 0;
  /** ms since the epoch. */
  #recordedAt = 0;
  #users = 0;

  private constructor(memory: MonitorMemory) {
    this.memory = memory;
    this.names = new OperationNames(memory);
    this.#blocks = new Int32Array(memory.dimensions.operations);
  }

  static of(memory: MonitorMemory): MonitorWriter {
    let writer = writers.get(memory.id);
    if (writer === undefined) {
      writer = new MonitorWriter(memory);
      writers.set(memory.id, writer);
    }
    writer.#users++;
    return writer;
  }

  release(): void {
    if (--this.#users === 0) this.leave();
  }

  /** Gives the thread's place back; what was recorded stays. */
  leave(): void {
    writers.delete(this.memory.id);
    this.#threads?.release(this.#thread);
    this.#threads = undefined;
    this.#ring = undefined;
    this.#keys = undefined;
    this.#thread = -1;
    this.#untilClaim = 0;
    this.#blocks.fill(NOT_OPENED);
  }

  number(operation: string): number {
    return this.names.number(operation, () => this.#registered());
  }

  /** Arguments are checked by the caller: a known operation, a duration >= 0. `operations` as in Sample. */
  record(operation: number, durationNs: number, success: boolean, sizeBytes: number, operations: number): void {
    const { memory } = this;
    const { words } = memory;
    if (this.#thread < 0) this.#claim();
    const sample = this.#sample;
    sample.clamped = durationNs > MAX_NS;
    sample.durationNs = sample.clamped ? MAX_NS : Math.round(durationNs);
    sample.sizeBytes = sizeBytes;
    sample.success = success;
    sample.operations = operations;
    const epoch = words[HEADER.epoch];
    let block = this.#blocks[operation];
    if (block === NOT_OPENED) block = this.#openBlock(operation);
    const { ownBlocksDouble, sharedBlocksDouble } = memory.layout;
    if (block === SHARED) addToShared(memory.longs, sharedBlocksDouble + operation * BLOCK.doubles, sample);
    else addToOwn(memory.doubles, ownBlocksDouble + (block - 1) * BLOCK.doubles, epoch, sample);
    if (this.#ring === undefined) {
      Atomics.add(memory.longs, HEADER.unlisted / 2, 1n);
      return;
    }
    const now = wallMs();
    this.#recordedAt = now;
    this.#ring.write(now, sample.durationNs, sizeBytes, operation * 2 + (success ? 1 : 0), threadId, epoch);
    countSecond(memory, this.#thread, Math.floor(now / 1000), operations, this.#outcomes[operation]);
  }

  /** The key of the operation that was recorded last. A thread without a place notes none. */
  noteKey(key: EncodedKey, isRead: boolean): void {
    this.#keys?.write(this.#recordedAt, key, isRead, this.memory.words[HEADER.epoch]);
  }

  #registered(): MonitorThreads {
    this.#threads ??= new MonitorThreads(this.memory);
    return this.#threads;
  }

  #claim(): void {
    if (--this.#untilClaim > 0) return;
    this.#untilClaim = CLAIM_AGAIN_AFTER;
    this.#thread = this.#registered().claim();
    if (this.#thread < 0) return;
    this.#ring = new RecentRing(this.memory, this.#thread);
    this.#keys = new KeyNotes(this.memory, this.#thread);
    this.#blocks.fill(NOT_OPENED);
  }

  /** The block of this place and operation: a predecessor's, or a new one, or the shared one when there are no more. */
  #openBlock(operation: number): number {
    const { words, layout, dimensions } = this.memory;
    const name = this.names.list()[operation];
    this.#outcomes[operation] = name === 'get.hit' ? 'hit' : name === 'get.miss' ? 'miss' : undefined;
    let block = SHARED;
    if (this.#thread >= 0) {
      const entry = layout.directoryWord + this.#thread * dimensions.operations + operation;
      if (words[entry] === NOT_OPENED) words[entry] = this.#takeBlock();
      block = words[entry];
    }
    if (block === SHARED) Atomics.store(words, layout.namesWord + operation * NAME.words + NAME.sharedUsed, 1);
    this.#blocks[operation] = block;
    return block;
  }

  #takeBlock(): number {
    const { words, dimensions } = this.memory;
    // Looked at first, so that the counter cannot run away.
    if (Atomics.load(words, HEADER.blocksTaken) >= dimensions.histograms) return SHARED;
    const taken = Atomics.add(words, HEADER.blocksTaken, 1);
    return taken < dimensions.histograms ? taken + 1 : SHARED;
  }
}

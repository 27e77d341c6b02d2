import { randomFillSync } from 'node:crypto';
import { describe, SharedCacheError } from '../errors.js';
import { type ControlGeometry, controlGeometry, type ShardGeometry, shardGeometry } from './geometry.js';
import {
  CONTROL,
  LAYOUT_VERSION,
  MAGIC,
  MAX_EVENT_WORDS,
  MAX_SHARD_BYTES,
  MAX_TAG_SLOTS,
  MAX_THREADS_OF_PROCESSES,
  MIN_EVENT_WORDS,
  MIN_TAG_SLOTS,
} from './layout.js';
import { ShardMemory } from './shard-memory.js';
import type { Sizing } from './sizing.js';

/** Shared buffers are made no larger than this, so that every Node version can allocate and view them. */
const MAX_SEGMENT_BYTES = 2 ** 30;
/** As large as `maxBytes` can be asked for. */
const MAX_CACHE_BYTES = 2 ** 40;

/** The shared buffers of one cache, as they travel between threads. */
export interface ArenaBuffers {
  readonly control: SharedArrayBuffer;
  readonly segments: readonly SharedArrayBuffer[];
  /** Present when they are a mapped file that several processes share. */
  readonly file?: MappedFile | undefined;
}

/** Which file the buffers are, for another thread of the process that mapped it; structured-cloneable. */
export interface MappedFile {
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  /** One word, of this process: its threads that have a place at this mapping. At 0 the mapping is given up, for ever. */
  readonly users: SharedArrayBuffer;
  /** The memory of the cache's monitor, if it has one. */
  readonly monitor?: SharedArrayBuffer | undefined;
}

export interface ArenaSettings {
  evictionId: number;
  flags: number;
  defaultTtl: number;
  maxBytes: number;
  maxEntries: number | undefined;
  lockTimeoutMs: number;
  nearBytes: number;
}

/** The buffers of one cache, checked, with the views every layer works on. */
export class Arena {
  readonly buffers: ArenaBuffers;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly control: ControlGeometry;
  readonly geometry: ShardGeometry;
  readonly shards: readonly ShardMemory[];

  private constructor(buffers: ArenaBuffers, control: ControlGeometry, geometry: ShardGeometry) {
    this.buffers = buffers;
    this.control = control;
    this.words = new Int32Array(buffers.control);
    this.doubles = new Float64Array(buffers.control, 0, buffers.control.byteLength >> 3);
    this.geometry = geometry;
    const m = this.words;
    const shardBytes = geometry.words * 4;
    this.shards = Array.from({ length: m[CONTROL.shardCount] }, (_, i) => {
      const perSegment = m[CONTROL.shardsPerSegment];
      const segment = buffers.segments[Math.floor(i / perSegment)] as SharedArrayBuffer;
      const capacity = m[CONTROL.shardCapacity] + (i < m[CONTROL.extraEntryShards] ? 1 : 0);
      return new ShardMemory(segment, (i % perSegment) * shardBytes, geometry, i, capacity);
    });
  }

  /** Bytes of the control buffer and of each segment. */
  static sizes(sizing: Sizing): number[] {
    const { geometry, shardCount } = sizing;
    const sizes = [sizing.control.words * 4];
    const perSegment = shardsPerSegment(sizing);
    for (let left = shardCount; left > 0; left -= perSegment) {
      sizes.push(Math.min(left, perSegment) * geometry.words * 4);
    }
    return sizes;
  }

  /** Allocates its buffers. Throws ERR_INVALID_OPTION when the system refuses that much address space. */
  static create(sizing: Sizing, settings: ArenaSettings): Arena {
    const [control, ...segments] = Arena.sizes(sizing).map((bytes) => allocate(bytes, settings.maxBytes));
    return Arena.format({ control, segments }, sizing, settings);
  }

  /** Makes zeroed buffers of these sizes, or larger, an empty cache. */
  static format(buffers: ArenaBuffers, sizing: Sizing, settings: ArenaSettings): Arena {
    const { geometry, shardCount } = sizing;
    const { control } = buffers;
    const m = new Int32Array(control);
    const doubles = new Float64Array(control, 0, CONTROL.words >> 1);
    m[CONTROL.threadCount] = sizing.control.threadCount;
    m[CONTROL.tagSlots] = sizing.control.tagSlots;
    m[CONTROL.eventWords] = geometry.eventWords;
    m[CONTROL.layoutVersion] = LAYOUT_VERSION;
    m[CONTROL.shardCount] = shardCount;
    m[CONTROL.shardWords] = geometry.words;
    m[CONTROL.shardsPerSegment] = shardsPerSegment(sizing);
    m[CONTROL.pageShift] = geometry.pageShift;
    m[CONTROL.pageCount] = geometry.pageCount;
    m[CONTROL.bucketCount] = geometry.bucketCount;
    m[CONTROL.policyShardWords] = geometry.policyWords;
    m[CONTROL.policyGlobalWords] = sizing.control.policyWords;
    m[CONTROL.shardCapacity] = sizing.shardCapacity;
    m[CONTROL.extraEntryShards] = sizing.extraEntryShards;
    m[CONTROL.evictionId] = settings.evictionId;
    m[CONTROL.flags] = settings.flags;
    m[CONTROL.lockTimeoutMs] = Math.min(settings.lockTimeoutMs, 2 ** 31 - 1);
    doubles[CONTROL.defaultTtl >> 1] = settings.defaultTtl;
    doubles[CONTROL.maxBytes >> 1] = settings.maxBytes;
    doubles[CONTROL.maxEntries >> 1] = settings.maxEntries ?? 0;
    doubles[CONTROL.maxEntryBytes >> 1] = sizing.maxEntryBytes;
    doubles[CONTROL.nearBytes >> 1] = settings.nearBytes;
    // Hash key and cache id lie side by side.
    randomFillSync(m, CONTROL.hashKey0, 4);
    Atomics.store(m, CONTROL.magic, MAGIC);
    return new Arena(buffers, sizing.control, geometry);
  }

  /** Believes nothing: magic, layout version, geometry and buffer sizes are checked against each other first. */
  static attach(buffers: ArenaBuffers): Arena {
    const { control, segments } = buffers;
    if (!(control instanceof SharedArrayBuffer) || control.byteLength < CONTROL.words * 4) {
      throw invalidHandle(
        `its control buffer is ${describe(control)}. Handles travel to threads of one process, not to other processes: those open the cache by its path`,
      );
    }
    const m = new Int32Array(control);
    if (Atomics.load(m, CONTROL.magic) !== MAGIC) throw invalidHandle('its control buffer is not one of a cache');
    if (m[CONTROL.layoutVersion] !== LAYOUT_VERSION) {
      throw invalidHandle(`it has layout version ${m[CONTROL.layoutVersion]}, this library has ${LAYOUT_VERSION}`);
    }
    const shardCount = m[CONTROL.shardCount];
    const dimensions = {
      pageShift: m[CONTROL.pageShift],
      pageCount: m[CONTROL.pageCount],
      bucketCount: m[CONTROL.bucketCount],
      policyWords: m[CONTROL.policyShardWords],
      eventWords: m[CONTROL.eventWords],
    };
    const controlDimensions = {
      threadCount: m[CONTROL.threadCount],
      tagSlots: m[CONTROL.tagSlots],
      policyWords: m[CONTROL.policyGlobalWords],
    };
    const plausible =
      shardCount >= 1 &&
      shardCount <= 1024 &&
      isPowerOfTwo(shardCount) &&
      m[CONTROL.shardsPerSegment] >= 1 &&
      m[CONTROL.shardCapacity] >= 0 &&
      controlDimensions.policyWords >= 0 &&
      controlDimensions.threadCount >= 1 &&
      controlDimensions.threadCount <= MAX_THREADS_OF_PROCESSES &&
      controlDimensions.tagSlots >= MIN_TAG_SLOTS &&
      controlDimensions.tagSlots <= MAX_TAG_SLOTS &&
      isPowerOfTwo(controlDimensions.tagSlots) &&
      dimensions.eventWords >= MIN_EVENT_WORDS &&
      dimensions.eventWords <= MAX_EVENT_WORDS &&
      isPowerOfTwo(dimensions.eventWords) &&
      m[CONTROL.lockTimeoutMs] >= 1 &&
      dimensions.pageShift >= 12 &&
      dimensions.pageShift <= 16 &&
      dimensions.pageCount >= 1 &&
      dimensions.pageCount <= 2 ** 20 &&
      dimensions.bucketCount >= 1 &&
      dimensions.bucketCount <= 2 ** 25 &&
      dimensions.policyWords >= 0 &&
      dimensions.policyWords <= 2 ** 29;
    if (!plausible) throw invalidHandle('the dimensions in its header make no sense');
    const doubles = new Float64Array(control, 0, CONTROL.words >> 1);
    const settingsHold =
      doubles[CONTROL.defaultTtl >> 1] >= 0 &&
      doubles[CONTROL.maxBytes >> 1] >= 0 &&
      doubles[CONTROL.maxBytes >> 1] <= MAX_CACHE_BYTES &&
      doubles[CONTROL.maxEntries >> 1] >= 0 &&
      doubles[CONTROL.nearBytes >> 1] >= 0 &&
      doubles[CONTROL.maxEntryBytes >> 1] <= MAX_SHARD_BYTES;
    if (!settingsHold) throw invalidHandle('the settings in its header make no sense');
    const geometry = shardGeometry(dimensions);
    const layout = controlGeometry(controlDimensions);
    const shardBytes = geometry.words * 4;
    const agrees =
      geometry.words === m[CONTROL.shardWords] &&
      shardBytes <= MAX_SHARD_BYTES &&
      m[CONTROL.shardCapacity] <= geometry.slotCount &&
      control.byteLength >= layout.words * 4 &&
      segments.length === Math.ceil(shardCount / m[CONTROL.shardsPerSegment]) &&
      // Array.from, since `every` skips the holes of a sparse array.
      Array.from(segments).every((segment: unknown, i) => {
        const held = Math.min(m[CONTROL.shardsPerSegment], shardCount - i * m[CONTROL.shardsPerSegment]);
        return segment instanceof SharedArrayBuffer && segment.byteLength >= held * shardBytes;
      });
    if (!agrees) throw invalidHandle('its buffers do not have the sizes its header tells');
    return new Arena(buffers, layout, geometry);
  }

  /** Tells caches of one process apart. */
  get id(): string {
    return `${this.words[CONTROL.cacheId0] >>> 0}-${this.words[CONTROL.cacheId1] >>> 0}`;
  }
}

function shardsPerSegment({ geometry, shardCount }: Sizing): number {
  return Math.min(shardCount, Math.max(1, Math.floor(MAX_SEGMENT_BYTES / (geometry.words * 4))));
}

const isPowerOfTwo = (value: number): boolean => Number.isInteger(Math.log2(value));

function allocate(bytes: number, maxBytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (cause) {
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      `maxBytes must be memory that the system can give, received ${maxBytes}, of which it refused ${bytes} bytes`,
      { cause },
    );
  }
}

function invalidHandle(why: string): SharedCacheError {
  return new SharedCacheError(
    'ERR_INVALID_HANDLE',
    `the handle cannot be attached: ${why}; pass what cache.handle returned`,
  );
}

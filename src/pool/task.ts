import { getEnvironmentData } from 'node:worker_threads';
import { SharedCache } from '../cache.js';
import type { Codec } from '../codec/codec.js';
import { SharedCacheError } from '../errors.js';
import { hasCodec } from '../handle.js';
import { type Envelope, type Failure, type PoolEnvironment, poolEnvironmentKey } from './envelope.js';
import { takeApart } from './failure.js';

type Exports = Record<string, unknown>;

/** What a task function gets as its second argument. */
export interface TaskContext<V = unknown> {
  /** The pool's cache, attached in the task's thread. */
  cache: SharedCache<V>;
  /** The cache's monitor, if it has one. */
  monitor: SharedCache<V>['monitor'];
}

/** The user's module and the attached cache, loaded with the first task and kept for the thread's life. */
let loading: Promise<{ exports: Exports; context: TaskContext }> | undefined;

/** Runs one task in a worker. What it throws comes back in a Failure. */
export async function runTask(envelope: Envelope): Promise<unknown> {
  try {
    return await call(envelope);
  } catch (thrown) {
    return Promise.reject({ thrownByTask: takeApart(thrown) } satisfies Failure);
  } finally {
    // What the task printed is on its way by the event loop, which closing the pool ends.
    await Promise.all([drained(process.stdout), drained(process.stderr)]);
  }
}

async function call({ pool, name, task }: Envelope): Promise<unknown> {
  loading ??= load(pool);
  const { exports, context } = await loading;
  const run = exports[name];
  if (typeof run !== 'function') {
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      `the task module must export a function ${JSON.stringify(name)}, it exports ${Object.keys(exports).join(', ') || 'nothing'}`,
    );
  }
  return run(task, context);
}

async function load(pool: number): Promise<{ exports: Exports; context: TaskContext }> {
  const { handle, filename } = getEnvironmentData(poolEnvironmentKey(pool)) as unknown as PoolEnvironment;
  const imported = (await import(filename)) as Exports;
  // A CommonJS module that was compiled from an ES module has its exports one level further down.
  const inner = imported.default as (Exports & { codec?: unknown }) | undefined;
  const exports = inner?.__esModule === true ? { ...imported, ...inner } : imported;
  const codec = hasCodec(handle.buffers) ? codecOf(exports.codec ?? inner?.codec) : undefined;
  const cache = SharedCache.attach(handle, { codec });
  return { exports, context: { cache, monitor: cache.monitor } };
}

function codecOf(exported: unknown): Codec {
  if (exported !== undefined) return exported as Codec;
  throw new SharedCacheError(
    'ERR_INVALID_OPTION',
    'the cache was created with a codec: the task module must export the same one as `codec`',
  );
}

function drained(stream: NodeJS.WriteStream): Promise<void> | undefined {
  return stream.writableLength === 0 ? undefined : new Promise((resolve) => stream.write('', () => resolve()));
}

import { getEnvironmentData } from 'node:worker_threads';
import { SharedCache, SharedCacheError, type TaskContext } from '../src/index.js';
import { type Envelope, type Failure, type PoolEnvironment, poolEnvironmentKey } from '../src/pool/pool.js';

/** The user's module and the attached cache, loaded with the first task and kept for the thread's life. */
let loading: Promise<{ module: Record<string, unknown>; context: TaskContext }> | undefined;

async function load(pool: number): Promise<{ module: Record<string, unknown>; context: TaskContext }> {
  const { handle, filename } = getEnvironmentData(poolEnvironmentKey(pool)) as unknown as PoolEnvironment;
  const imported = (await import(filename)) as Record<string, unknown>;
  // A CommonJS module that was compiled from an ES module has its exports one level further down.
  const inner = imported.default as Record<string, unknown> | undefined;
  const module = inner?.__esModule === true ? { ...imported, ...inner } : imported;
  const cache = SharedCache.attach(handle);
  return { module, context: { cache, monitor: cache.monitor } };
}

async function runTask({ pool, name, task }: Envelope): Promise<unknown> {
  loading ??= load(pool);
  const { module, context } = await loading;
  const run = module[name];
  if (typeof run !== 'function') {
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      `the task module must export a function ${JSON.stringify(name)}, it exports ${Object.keys(module).join(', ') || 'nothing'}`,
    );
  }
  return run(task, context);
}

export default async (envelope: Envelope): Promise<unknown> => {
  try {
    return await runTask(envelope);
  } catch (error) {
    if (!(error instanceof SharedCacheError)) throw error;
    const { code, message, stack } = error;
    return { sharedCacheError: { code, message, stack } } satisfies Failure;
  }
};

import { getEnvironmentData } from 'node:worker_threads';
import { SharedCache, SharedCacheError, type TaskContext } from '../src/index.js';
import { type PoolEnvironment, poolEnvironmentKey } from '../src/pool/pool.js';

type TaskFunction = (task: unknown, context: TaskContext) => unknown;

const query = new URL(import.meta.url).searchParams;
const name = query.get('name') ?? 'default';
const { handle, filename } = getEnvironmentData(
  poolEnvironmentKey(Number(query.get('pool'))),
) as unknown as PoolEnvironment;
const module = (await import(filename)) as Record<string, unknown>;
const exported = module[name];
if (typeof exported !== 'function') {
  throw new SharedCacheError(
    'ERR_INVALID_OPTION',
    `${filename} must export a function ${JSON.stringify(name)} for its pool to run`,
  );
}
const run = exported as TaskFunction;
const context: TaskContext = { cache: SharedCache.attach(handle) };

export default (task: unknown): unknown => run(task, context);

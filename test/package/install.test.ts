/**
 * What a user gets: the packed library, unpacked into a project of its own, loaded by `import` and by `require()`, and
 * type-checked from both sides. Its dependencies are found in this checkout's node_modules, above the project.
 */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import t from 'tap';
import { ONLY_LONG } from '../fixtures/effort.js';
import { installPacked } from '../fixtures/packed.js';

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const run = promisify(execFile);

/** Two threads and a pool; the same in both module systems but for how they load things. */
const body = (self: string, task: string): string => `
if (isMainThread) {
  const cache = new SharedCache({ maxBytes: '1MB' });
  new Worker(${self}, { workerData: cache.handle }).once('exit', async () => {
    const pool = new CachePool({ filename: ${task}, cache, maxThreads: 1 });
    console.log(cache.get('from the worker'), await pool.run(21));
    await pool.close();
    cache.close();
  });
} else {
  SharedCache.attach(workerData).put('from the worker', 1);
}
`;
const names = '{ CachePool, SharedCache, SharedCacheError, SharedMonitor }';
const threads = '{ isMainThread, Worker, workerData }';

/** For the compiler alone; \`.mts\` and \`.cts\` have the same text. */
const consumer = `
import { CachePool, type Codec, type PutOptions, SharedCache, SharedCacheError, SharedMonitor } from 'mooncake-cache';

interface Profile { name: string }

export async function use(codec: Codec, options: PutOptions): Promise<Profile | undefined> {
  const cache = new SharedCache<Profile>({ maxBytes: '1MB', codec, monitor: true });
  cache.put('ann', { name: 'Ann' }, options);
  const pool = new CachePool({ filename: 'task.js', cache, maxThreads: 2 });
  const length: number = await pool.run<number>('task');
  new SharedMonitor().recordOperation('task', length, true);
  try {
    return cache.get('ann');
  } catch (error) {
    if (error instanceof SharedCacheError && error.code === 'ERR_CLOSED') return undefined;
    throw error;
  }
}
// @ts-expect-error: what attaching uses is not public
new SharedCache(undefined, {}, {});
`;

t.test('the packed library in a project', ONLY_LONG, async (t) => {
  const project = t.testdir({
    'package.json': '{ "private": true }',
    'main.cjs': `const ${threads} = require('node:worker_threads');
const ${names} = require('mooncake-cache');
${body('__filename', "require.resolve('./task.cjs')")}`,
    'task.cjs': 'module.exports = (n, { cache }) => n * 2 * cache.get("from the worker");',
    'compiled.cjs': `const ${threads} = require('node:worker_threads');
const ${names} = require('mooncake-cache');
${body('__filename', "require.resolve('./compiled-task.cjs')")}`,
    'compiled-task.cjs': `Object.defineProperty(exports, '__esModule', { value: true });
exports.default = (n, { cache }) => n * 2 * cache.get("from the worker");`,
    'main.mjs': `import ${threads} from 'node:worker_threads';
import ${names} from 'mooncake-cache';
${body('new URL(import.meta.url)', "new URL('task.mjs', import.meta.url)")}`,
    'task.mjs': 'export default (n, { cache }) => n * 2 * cache.get("from the worker");',
    'both.cjs': `const required = require('mooncake-cache');
import('mooncake-cache').then((imported) => console.log(imported.SharedCacheError === required.SharedCacheError));`,
    'tsconfig.json': JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, module: 'nodenext', target: 'es2022', types: ['node'] },
      files: ['consumer.mts', 'consumer.cts'],
    }),
    'consumer.mts': consumer,
    'consumer.cts': consumer,
  });
  await installPacked(project);
  for (const program of ['main.mjs', 'main.cjs', 'compiled.cjs']) {
    // Node 22.12 alone warns that require() of an ES module is new.
    const args = ['--disable-warning=ExperimentalWarning', program];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: project, timeout: 60_000 });
    t.equal(stdout, '1 42\n', program);
    t.equal(stderr, '', `${program} is quiet`);
  }
  t.equal(
    (await run(process.execPath, ['both.cjs'], { cwd: project })).stdout,
    'true\n',
    'one library, loaded either way',
  );

  const result = await run(process.execPath, [tsc, '-p', project]).catch((error) => error);
  t.equal(result.stdout, '', 'types resolve, and every declaration of the library compiles');
});

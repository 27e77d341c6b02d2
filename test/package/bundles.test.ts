/**
 * A program and the packed library in one file, by real bundlers, run where there is no node_modules: the cache works in
 * all threads and is swept, and what cannot work there says what to do. With the library external everything works.
 */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { BUNDLERS } from '../fixtures/bundlers.js';
import { ONLY_LONG } from '../fixtures/effort.js';
import { installPacked } from '../fixtures/packed.js';
import { plainNode } from '../fixtures/plain-node.js';

const program = `
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { CachePool, SharedCache, SharedMonitor } from 'mooncake-cache';

async function attempt(run) {
  try {
    console.log(await run());
  } catch (error) {
    console.log(error.name, error.code, /must keep mooncake-cache external/.test(error.message));
  }
}

async function runTask(cache) {
  const pool = new CachePool({ filename: process.argv[2], cache, maxThreads: 1 });
  try {
    return await pool.run(21);
  } finally {
    await pool.close();
  }
}

async function main() {
  const cache = new SharedCache({ maxBytes: '1MB', sweep: { intervalMs: 5 }, monitor: true });
  cache.put('over', 1, { ttl: 1 });
  while (cache.getStats().expirations === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  console.log('swept');
  await new Promise((resolve) => new Worker(process.argv[1], { workerData: cache.handle }).once('exit', resolve));
  console.log(cache.get('from the thread').at.getTime(), await cache.getOrSet('loaded', async () => 7));
  await attempt(() => runTask(cache));
  await attempt(() => runTask(cache));
  await attempt(() => {
    const monitor = new SharedMonitor();
    monitor.recordOperation('op', 1, true);
    return monitor.getPerformanceSummary().op.count;
  });
  cache.close();
}

if (isMainThread) void main();
else SharedCache.attach(workerData).put('from the thread', { at: new Date(5) });
`;
const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const MISSING = 'SharedCacheError ERR_MODULE_MISSING true';

t.setTimeout(200_000);

t.test('bundles', ONLY_LONG, async (t) => {
  // Not below this checkout, which has a node_modules.
  const outside = mkdtempSync(join(tmpdir(), 'mooncake-bundles-'));
  t.teardown(() => rmSync(outside, { recursive: true }));
  const project = `${outside}/project`;
  const task = `${outside}/task.mjs`;
  mkdirSync(project);
  writeFileSync(`${project}/package.json`, '{ "private": true }');
  writeFileSync(`${project}/main.mjs`, program);
  writeFileSync(task, 'export default (n) => n * 2;');
  const installed = await installPacked(project);
  const { dependencies } = JSON.parse(readFileSync(`${installed}/package.json`, 'utf8')) as { dependencies: object };
  for (const name of Object.keys(dependencies)) {
    symlinkSync(`${checkout}/node_modules/${name}`, `${project}/node_modules/${name}`);
  }
  // Somebody else's scripts, where the library's own would be if a bundle were one of its files.
  mkdirSync(`${project}/workers`);
  for (const script of ['sweeper.js', 'pool-task.cjs']) {
    writeFileSync(`${project}/workers/${script}`, "console.log('not ours');");
  }

  for (const { name, file, bundle } of BUNDLERS) {
    t.strictSame(await bundle(project, 'bundled', []), [], `${name}: no warnings`);
    t.strictSame(await bundle(project, 'external', ['mooncake-cache']), [], `${name}, external: no warnings`);
    const { stdout } = await plainNode([`${project}/external/${file}`, task]);
    t.strictSame(stdout.split('\n'), ['swept', '5 7', '42', '42', '1', ''], `${name}, external`);
    // esbuild and rollup put the bundle's own place where the library's was: these scripts are beside it.
    if (name.startsWith('webpack')) continue;
    const besideOthers = await plainNode([`${project}/bundled/${file}`, task]);
    const lines = ['swept', '5 7', MISSING, MISSING, '1', ''];
    t.strictSame(besideOthers.stdout.split('\n'), lines, `${name}, beside scripts of others`);
  }

  // To another machine, so to speak.
  renameSync(`${project}/bundled`, `${outside}/bundled`);
  rmSync(project, { recursive: true });
  for (const { name, file } of BUNDLERS) {
    const { stdout, stderr } = await plainNode([`${outside}/bundled/${file}`, task]);
    t.strictSame(stdout.split('\n'), ['swept', '5 7', MISSING, MISSING, MISSING, ''], `${name}, without node_modules`);
    t.equal(stderr, '', `${name} is quiet`);
  }
});

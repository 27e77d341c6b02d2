/** The layers check must refuse an import that points up, and must let the ones that point down through. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
const layers = fileURLToPath(new URL('../../../scripts/layers.mjs', import.meta.url));
const run = promisify(execFile);

const refused: [file: string, imports: string][] = [
  ['src/errors.ts', './memory/layout.js'],
  ['src/duration.ts', './options.js'],
  ['src/memory/heap.ts', '../sync/mutex.js'],
  ['src/memory/words.ts', '../options.js'],
  ['src/sync/mutex.ts', '../table/shard.js'],
  ['src/codec/value.ts', '../policy/lru.js'],
  ['src/codec/kinds.ts', '../index.js'],
  ['src/policy/lru.ts', '../table/shard.js'],
  ['src/policy/fifo.ts', '../codec/kinds.js'],
  ['src/table/get.ts', '../cache.js'],
  ['src/table/put.ts', '../monitor/record.js'],
  ['src/table/near.ts', '../keyspace.js'],
  ['src/monitor/record.ts', '../pool/pool.js'],
  ['src/monitor/report/html.ts', '../../table/get.js'],
  ['src/flight/flight.ts', '../keyspace.js'],
  ['src/process/place.ts', '../table/shard.js'],
  ['src/process/file.ts', '../cache.js'],
  ['src/snapshot/dump.ts', '../keyspace.js'],
  ['src/debug/check.ts', '../keyspace.js'],
  ['src/session.ts', './debug/check.js'],
  ['src/keyspace.ts', './namespace.js'],
  ['src/namespace.ts', './cache.js'],
  ['src/pool/pool.ts', '../../workers/pool-task.js'],
  ['src/cache.ts', './pool/pool.js'],
  ['src/index.ts', '../workers/sweeper.js'],
  ['src/tier/remote.ts', '../adapters/keyv.js'],
  ['src/tier/member.ts', '../debug/check.js'],
  ['src/adapters/keyv.ts', '../errors.js'],
  ['src/adapters/nest.ts', '../tier/index.js'],
  ['src/server/http.ts', '../cli/main.js'],
  ['src/cli/main.ts', '../cache.js'],
  ['src/monitor/types.ts', 'mooncake-cache'],
  ['workers/sweeper.ts', '../test/fixtures/values.js'],
  ['bench/main.ts', '../workers/bench-load.js'],
  ['bench/micro/strip.ts', '../../src/debug/check.js'],
  ['examples/quick-start.ts', '../src/table/get.js'],
];
const allowed: [file: string, imports: string][] = [
  ['src/table/evict.ts', '../policy/lru.js'],
  ['src/sync/recovery.ts', '../memory/layout.js'],
  ['src/table/delete.ts', '../errors.js'],
  ['src/debug/check-heap.ts', '../table/shard.js'],
  ['src/pool/task.ts', '../cache.js'],
  ['src/tier/near.ts', '../namespace.js'],
  ['src/server/resp.ts', '../tier/index.js'],
  ['src/cli/run.ts', '../server/index.js'],
  ['workers/pool-task.ts', '../src/index.js'],
  ['bench/micro/operations.ts', '../../src/codec/key.js'],
  ['examples/pool.ts', 'mooncake-cache'],
  ['test/unit/heap.test.ts', '../../src/memory/heap.js'],
];

t.test('imports point down only', async (t) => {
  const tree: Record<string, string> = {};
  for (const [file, imports] of [...refused, ...allowed]) tree[file] = `import ${JSON.stringify(imports)};\n`;
  const found = await complaints(t.testdir(nested(tree)));
  t.strictSame(found.map((line) => line.split(':')[0]).sort(), refused.map(([file]) => file).sort());
});

t.test('every way to import is seen', async (t) => {
  const tree = nested({
    'src/memory/a.ts': "import type { B } from '../sync/b.js';\nexport type A = B;\n",
    'src/memory/b.ts': "export * from '../sync/b.js';\n",
    'src/memory/c.ts': "export const b = () => import('../sync/b.js');\n",
    'src/memory/d.ts': "export type D = import('../sync/b.js').B;\n",
  });
  t.equal((await complaints(t.testdir(tree))).length, 4);
});

t.test('a folder or file without a floor is refused', async (t) => {
  const tree = nested({ 'src/attic/box.ts': 'export {};\n', 'src/cellar.ts': 'export {};\n', 'src/index.ts': '\n' });
  t.strictSame(await complaints(t.testdir(tree)), [
    'src/attic/box.ts: the room attic has no floor in scripts/layers.mjs',
    'src/cellar.ts: the room cellar has no floor in scripts/layers.mjs',
  ]);
});

t.test('the linter runs the check', async (t) => {
  const { scripts } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  t.match(scripts.lint, 'node scripts/layers.mjs');
});

t.test('modules never import each other in a circle', async (t) => {
  const config = JSON.parse(readFileSync(new URL('../../../biome.json', import.meta.url), 'utf8'));
  const tree = nested({
    'biome.json': JSON.stringify({ ...config, $schema: undefined, vcs: undefined }),
    'src/table/a.ts': "import { b } from './b.js';\nexport const a = (): number => b();\n",
    'src/table/b.ts': "import { a } from './a.js';\nexport const b = (): number => a();\n",
    'src/table/c.ts': "import { a } from './a.js';\nexport const c = a;\n",
  });
  const args = [biome, 'lint', '--only=suspicious/noImportCycles', '--reporter=json', '.'];
  const { stdout } = await run(process.execPath, args, { cwd: t.testdir(tree) }).catch(
    (error: { stdout: string }) => error,
  );
  const { diagnostics }: { diagnostics: { category: string; location: { path: string | { file: string } } }[] } =
    JSON.parse(stdout);
  const files = diagnostics.map(({ location: { path } }) => (typeof path === 'string' ? path : path.file));
  t.strictSame([...new Set(files)].sort(), ['src/table/a.ts', 'src/table/b.ts']);
});

/** What the check says about a folder, a line for each problem, sorted. */
async function complaints(folder: string): Promise<string[]> {
  const { stderr } = await run(process.execPath, [layers, folder]).catch((error: { stderr: string }) => error);
  return stderr
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Imports point down only'))
    .sort();
}

interface Tree {
  [name: string]: string | Tree;
}

/** A flat map of paths to contents, as the tree that makes a temporary folder. */
function nested(flat: Record<string, string>): Tree {
  const tree: Tree = {};
  for (const [path, content] of Object.entries(flat)) {
    const parts = path.split('/');
    const name = parts.pop() ?? path;
    let folder = tree;
    for (const part of parts) {
      folder[part] ??= {};
      folder = folder[part] as Tree;
    }
    folder[name] = content;
  }
  return tree;
}

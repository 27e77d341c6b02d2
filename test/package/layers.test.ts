/** The linter must refuse an import that points up the layers, and must let the ones that point down through. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import t from 'tap';

const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
const config = JSON.parse(readFileSync(new URL('../../../biome.json', import.meta.url), 'utf8'));

const refused: [file: string, imports: string][] = [
  ['src/errors.ts', './memory/layout.js'],
  ['src/memory/heap.ts', '../sync/mutex.js'],
  ['src/memory/words.ts', '../options.js'],
  ['src/sync/mutex.ts', '../table/shard.js'],
  ['src/codec/value.ts', '../policy/lru.js'],
  ['src/policy/lru.ts', '../table/shard.js'],
  ['src/table/read.ts', '../cache.js'],
  ['src/table/put.ts', '../monitor/record.js'],
  ['src/monitor/record.ts', '../pool/pool.js'],
  ['src/pool/pool.ts', '../../workers/pool-task.js'],
  ['src/cache.ts', './pool/pool.js'],
  ['src/index.ts', '../workers/sweeper.js'],
  ['workers/sweeper.ts', '../test/fixtures/values.js'],
];
const allowed: [file: string, imports: string][] = [
  ['src/table/evict.ts', '../policy/lru.js'],
  ['src/sync/recovery.ts', '../memory/layout.js'],
  ['src/table/delete.ts', '../errors.js'],
  ['src/debug/check.ts', '../table/shard.js'],
  ['src/pool/task.ts', '../cache.js'],
  ['workers/pool-task.ts', '../src/index.js'],
  ['test/unit/heap.test.ts', '../../src/memory/heap.js'],
];

t.test('imports point down only', async (t) => {
  const tree: Record<string, string> = {
    'biome.json': JSON.stringify({ ...config, $schema: undefined, vcs: undefined }),
  };
  for (const [file, imports] of [...refused, ...allowed]) tree[file] = `import ${JSON.stringify(imports)};\n`;
  const found = await violations(t.testdir(nested(tree)), 'style/noRestrictedImports');
  t.strictSame(found, refused.map(([file]) => file).sort());
});

t.test('modules never import each other in a circle', async (t) => {
  const tree = nested({
    'biome.json': JSON.stringify({ ...config, $schema: undefined, vcs: undefined }),
    'src/table/a.ts': "import { b } from './b.js';\nexport const a = (): number => b();\n",
    'src/table/b.ts': "import { a } from './a.js';\nexport const b = (): number => a();\n",
    'src/table/c.ts': "import { a } from './a.js';\nexport const c = a;\n",
  });
  t.strictSame(await violations(t.testdir(tree), 'suspicious/noImportCycles'), ['src/table/a.ts', 'src/table/b.ts']);
});

/** The files of a folder in which the linter reports a rule, sorted. */
async function violations(cwd: string, rule: string): Promise<string[]> {
  const args = [biome, 'lint', `--only=${rule}`, '--reporter=json', '--max-diagnostics=100', '.'];
  const run = promisify(execFile)(process.execPath, args, { cwd });
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const report: { diagnostics: { category: string; location: { path: string | { file: string } } }[] } =
    JSON.parse(stdout);
  const files = report.diagnostics
    .filter(({ category }) => category === `lint/${rule}`)
    .map(({ location: { path } }) => (typeof path === 'string' ? path : path.file));
  return [...new Set(files)].sort();
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

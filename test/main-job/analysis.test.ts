/** The analysis of a small folder, whose files and imports can be counted by hand. */
import t from 'tap';
import { analyseFile } from '../../examples/main-job/analysis/analyse.js';
import { closureOf } from '../../examples/main-job/analysis/closure.js';
import { findEntries } from '../../examples/main-job/analysis/entries.js';
import { InputError } from '../../examples/main-job/errors.js';
import { ONLY_LONG } from '../fixtures/effort.js';
import { runJob, tableRow } from './run-job.js';

const PACKAGES = {
  left: {
    'package.json': JSON.stringify({ name: 'left', exports: { import: './main.mjs' } }),
    'main.mjs': "import 'shared';\nimport fs from 'node:fs';\nexport const left = () => fs;\n",
  },
  right: {
    'package.json': JSON.stringify({ name: 'right', main: 'lib' }),
    lib: {
      'index.js': "const shared = require('shared');\ntry { require('absent'); } catch {}\nmodule.exports = shared;\n",
    },
  },
  shared: {
    'package.json': JSON.stringify({ name: 'shared', main: 'a.js' }),
    'a.js': "require('./b');\n",
    'b.js': "require('./a.js'); // a circle\n",
    'unused.js': '',
  },
  types: { 'package.json': JSON.stringify({ name: 'types', types: 'index.d.ts' }), 'index.d.ts': 'export {};\n' },
  broken: { 'package.json': '{' },
};

t.test('packages that share files', ONLY_LONG, async (t) => {
  const dir = t.testdir({ node_modules: PACKAGES });
  const { code, stdout, stderr } = await runJob('--dir', `${dir}/node_modules`, '--threads', '2');
  t.equal(code, 0, stderr);
  t.match(stdout, /^node_modules: 5 source files/);
  t.match(stdout, /\n3 requests, .* over 2 threads\n/);
  t.strictSame(tableRow(stdout, 'left').slice(1, 3), ['3', '1'], 'main, a and b, with one function');
  // left and right reach three files each, shared two.
  t.strictSame(tableRow(stdout, 'no cache').slice(3, 6), ['8', '8', '0.00 %']);
  t.strictSame(tableRow(stdout, 'shared cache').slice(3, 6), ['8', '4', '50.00 %'], 'each file analysed once');
  const perThread = Number(tableRow(stdout, 'lru-cache per thread')[4]);
  t.ok(perThread >= 4 && perThread <= 8, `${perThread} computations with a cache per thread`);
});

t.test('a folder without packages, and a limit', ONLY_LONG, async (t) => {
  const dir = t.testdir({
    'a.ts': "import { b } from './b.js';\nexport const a: number = b;\n",
    'b.ts': 'export const b = 1;\n',
    'c.tsx': 'export const c = <p />;\n',
    '.hidden': { 'd.js': '' },
  });
  const { root, requests, files } = findEntries(dir, Number.POSITIVE_INFINITY);
  t.strictSame(requests.map(({ name }) => name).sort(), ['a.ts', 'b.ts', 'c.tsx']);
  t.equal(files, 3);
  t.strictSame(findEntries(dir, 1).requests, requests.slice(0, 1));
  const { files: reached, functions } = closureOf(`${root}a.ts`, root, analyseFile);
  t.strictSame({ reached, functions }, { reached: 2, functions: 0 });
});

t.test('bad folders', ONLY_LONG, async (t) => {
  const dir = t.testdir({ file: '', empty: {}, types: { 'index.d.ts': '' } });
  const cases: [name: string, reason: string][] = [
    ['absent', 'no such file or directory'],
    ['file', 'not a folder'],
    ['empty', 'no JavaScript or TypeScript files in there'],
    ['types', 'no JavaScript or TypeScript files in there'],
  ];
  for (const [name, reason] of cases) {
    const message = `--dir ${dir}/${name}: ${reason}`;
    t.throws(() => findEntries(`${dir}/${name}`, 1), { constructor: InputError, message }, name);
  }
  const { code, stderr } = await runJob('--dir', `${dir}/absent`);
  t.equal(code, 1);
  t.equal(stderr, `error: --dir ${dir}/absent: no such file or directory\n`);
});

/**
 * Puts the compiled library together for the package, in dist/lib: one file for each entry of package.json and for each
 * thread script, and shared ones for what several of them use. A thread or a process loads a handful of files instead of a
 * hundred and sixty, which takes a quarter of the time. Packages stay outside, nothing is renamed or shortened.
 */
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const LIB = 'dist/lib/';
const outdir = root + LIB;
const { exports, bin } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** By the name of the file in dist/lib: where it begins in dist. An entry's types say where that is. */
const entries = {
  ...Object.fromEntries(
    Object.values(exports)
      .filter(({ types }) => types !== undefined)
      .map((entry) => [nameOf(entry.default), `${root}${entry.types.replace(/\.d\.ts$/, '.js')}`]),
  ),
  [nameOf(bin['mooncake-cache'])]: `${root}dist/src/cli/main.js`,
  sweeper: `${root}dist/workers/sweeper.js`,
  tracker: `${root}dist/workers/tracker.js`,
  'pool-task': `${root}dist/src/pool/task.js`,
};

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  packages: 'external',
  charset: 'utf8',
  outdir,
  logLevel: 'warning',
};

rmSync(outdir, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: entries,
  format: 'esm',
  splitting: true,
  // src/installed.ts knows its own place by this name.
  chunkNames: 'mooncake-[hash]',
});
// CommonJS cannot share files with the rest: this one only loads its neighbour.
await build({
  ...common,
  entryPoints: { 'pool-task': `${root}dist/workers/pool-task.cjs` },
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  plugins: [
    {
      name: 'neighbour',
      setup: ({ onResolve }) =>
        onResolve({ filter: /pool\/task\.js$/ }, () => ({ path: './pool-task.js', external: true })),
    },
  ],
});

/** @param {string} path */
function nameOf(path) {
  return path.slice(path.indexOf(LIB) + LIB.length).replace(/\.js$/, '');
}

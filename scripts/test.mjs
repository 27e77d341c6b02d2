/**
 * Runs the compiled tests under tap and closes with one line, `N passed, N failed`: the assertions tap reported.
 *
 *   node scripts/test.mjs [--long] [path fragment...]     only the test files whose path contains one of the fragments
 *
 * With --long the files that can do more (they import test/fixtures/effort.ts), and they do; without it all files.
 * The list of files comes from the sources (test/**\/*.test.ts), so a stale file in dist/ is never run.
 * The whole TAP stream is kept in .tap/last-run.tap.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Parser } from 'tap-parser';

/** Seconds before tap gives up on one file. On a quiet machine a file is meant to take less than 15, in the long run 150. */
const FILE_TIMEOUT_SECONDS = { usual: 300, long: 1_500 };
/** Most test files start threads of their own: more files at once than this only adds noise. */
const MAX_JOBS = 4;

const root = fileURLToPath(new URL('..', import.meta.url));
const isLong = process.argv.includes('--long');
const fragments = process.argv.slice(2).filter((argument) => argument !== '--long');
const matching = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
  .map((name) => `test/${name.replaceAll('\\', '/')}`)
  .filter((name) => name.endsWith('.test.ts') && !name.includes('/fixtures/'))
  .filter((name) => fragments.length === 0 || fragments.some((part) => name.includes(part)))
  .sort();
const canDoMore = matching.filter((name) => readFileSync(root + name, 'utf8').includes('/effort.js'));
// They take longest, so they begin: no core shall wait for the last of them.
const sources = isLong ? canDoMore : [...new Set([...canDoMore, ...matching])];
const files = sources.map((name) => `dist/${name.replace(/\.ts$/, '.js')}`);
if (files.length === 0) {
  console.error(`no${isLong ? ' long' : ''} test file matches ${fragments.join(', ')}`);
  process.exit(1);
}

const jobs = Math.max(2, Math.min(MAX_JOBS, availableParallelism() - 1));
console.log(`${files.length} test files, ${jobs} at a time`);
mkdirSync(`${root}.tap`, { recursive: true });
const tapArguments = [
  `--jobs=${jobs}`,
  `--timeout=${isLong ? FILE_TIMEOUT_SECONDS.long : FILE_TIMEOUT_SECONDS.usual}`,
  `--node-arg=--import=${new URL('plain-workers.mjs', import.meta.url)}`,
  '--reporter=tap',
  '--no-color',
];
const tap = spawn(process.execPath, [`${root}node_modules/tap/dist/esm/run.mjs`, ...tapArguments, ...files], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, ...(isLong ? { LONG: '1' } : {}) },
});
const parser = new Parser();
const total = tally(parser);
tap.stdout.pipe(createWriteStream(`${root}.tap/last-run.tap`));
tap.stdout.pipe(parser);

let finished = 0;
parser.on('extra', (line) => process.stdout.write(line));
parser.on('assert', ({ ok, name, time }) => {
  finished += 1;
  const place = `${String(finished).padStart(String(files.length).length)}/${files.length}`;
  console.log(
    `${ok ? 'ok    ' : 'FAILED'} ${place} ${name.replace(/^dist\//, '')} (${((time ?? 0) / 1000).toFixed(1)} s)`,
  );
});

const [code] = await Promise.all([
  new Promise((resolve) => tap.on('close', resolve)),
  new Promise((resolve) => parser.on('complete', resolve)),
]);
// tap can fail without a failed assertion, by a file that never started for instance: that counts as one.
if (total.failed === 0 && code !== 0) total.failed = 1;
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/**
 * Counts the assertions of a TAP stream and of its subtests at any depth, and prints what they say (their seeds) and
 * every failure with its diagnosis. A subtest's own closing line counts only when it alone failed (a timeout, a missed plan).
 * @param {Parser} stream
 * @returns {{ passed: number, failed: number }} filled in while the stream runs
 */
function tally(stream) {
  const counts = { passed: 0, failed: 0 };
  /** @type {{ passed: number, failed: number } | undefined} */
  let subtest;
  stream.on('child', (child) => {
    subtest = tally(child);
    child.on('extra', (line) => process.stdout.write(`         ${line}`));
    child.on('comment', (line) => {
      if (!/^# (Subtest|time=)/.test(line)) process.stdout.write(`         ${line}`);
    });
  });
  stream.on('assert', (result) => {
    const inner = subtest;
    subtest = undefined;
    counts.passed += inner?.passed ?? 0;
    counts.failed += inner?.failed ?? 0;
    if (result.skip || result.todo) return;
    if (result.ok) {
      if (inner === undefined) counts.passed += 1;
    } else if (inner === undefined || inner.failed === 0) {
      counts.failed += 1;
      report(result);
    }
  });
  return counts;
}

/** @param {{ fullname: string, diag: Record<string, unknown> | null }} failure */
function report({ fullname, diag }) {
  console.log(`not ok   ${fullname}`);
  for (const [name, value] of Object.entries(diag ?? {})) {
    const text = typeof value === 'string' ? value.trimEnd() : JSON.stringify(value);
    console.log(`  ${name}: ${text.includes('\n') ? '\n' : ''}${text}`.replaceAll('\n', '\n    '));
  }
}

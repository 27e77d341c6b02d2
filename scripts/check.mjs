/**
 * Runs everything a change must pass, also what comes after a part that failed, and closes with one line,
 * `N passed, N failed`: the tests' own counts, and one for each other part.
 *
 *   node scripts/check.mjs [--long]     with --long the long tests as well
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The compiler comes before what needs its output; the package is built afresh, from nothing. */
const parts = {
  lint: ['npm', 'run', '--silent', 'lint'],
  types: ['npm', 'run', '--silent', 'build'],
  tests: ['node', 'scripts/test.mjs'],
  ...(process.argv.includes('--long') ? { 'long tests': ['node', 'scripts/test.mjs', '--long'] } : {}),
  package: ['npm', 'run', '--silent', 'check:package'],
  docs: ['npm', 'run', '--silent', 'docs'],
};

const rows = [];
for (const [name, command] of Object.entries(parts)) rows.push({ part: name, ...(await run(name, command)) });

console.log('');
for (const { part, passed, failed, seconds } of rows)
  console.log(
    `${part.padEnd(12)} ${failed === 0 ? 'ok    ' : 'FAILED'} ${String(seconds).padStart(5)} s  ${passed} passed, ${failed} failed`,
  );
const sum = (/** @type {'passed' | 'failed'} */ what) => rows.reduce((total, row) => total + row[what], 0);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') === 0 ? 0 : 1;

/**
 * @param {string} name
 * @param {string[]} command
 * @returns {Promise<{ passed: number, failed: number, seconds: number }>}
 */
async function run(name, [program, ...args]) {
  console.log(`\n== ${name}: ${program} ${args.join(' ')}`);
  const startedAt = Date.now();
  const isWindows = process.platform === 'win32';
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], shell: isWindows });
  let end = '';
  child.stdout.on('data', (chunk) => {
    process.stdout.write(chunk);
    end = (end + chunk).slice(-200);
  });
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.once('close', resolve);
  });
  const [, passed, failed] = /(?:^|\n)(\d+) passed, (\d+) failed\n$/.exec(end) ?? [undefined, 0, 0];
  const counts = { passed: Number(passed), failed: Number(failed) };
  // A part without counts of its own is one check; a part that died after it had counted has failed all the same.
  if (code !== 0) counts.failed = Math.max(1, counts.failed);
  else if (counts.passed + counts.failed === 0) counts.passed = 1;
  return { ...counts, seconds: Math.round((Date.now() - startedAt) / 1000) };
}

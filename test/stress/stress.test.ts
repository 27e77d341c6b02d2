/** Runs the stress program as a user would: quiet load, eviction, and threads terminated at random. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { effort } from '../fixtures/effort.js';

const SECONDS = effort('SECONDS', 0.4, 10);
const run = promisify(execFile);
const program = fileURLToPath(new URL('../../bench/stress/main.js', import.meta.url));
const seed = process.env.SEED ?? String(Math.floor(Math.random() * 2 ** 31));
console.log(`# SEED=${seed}`);

const loads = {
  quiet: [],
  evicting: ['--max-bytes', '2MB', '--mix', '50/45/5'],
  killing: ['--kill-rate', '40'],
  'killing and evicting': ['--kill-rate', '40', '--max-bytes', '2MB', '--mix', '50/45/5', '--value-bytes', '2000'],
};

for (const [name, options] of Object.entries(loads)) {
  t.test(name, async (t) => {
    const { stdout } = await run(process.execPath, [
      program,
      '--threads',
      '4',
      '--seconds',
      String(SECONDS),
      '--seed',
      seed,
      ...options,
    ]);
    console.log(stdout.replace(/^/gm, '# '));
    t.match(stdout, / 0 failures/);
    t.match(stdout, / 0 lock timeouts/);
    t.match(stdout, 'structure sound');
  });
}

t.test('a report of the latencies', async (t) => {
  const report = `${t.testdir({})}/report.html`;
  await run(process.execPath, [program, '--threads', '2', '--seconds', '1', '--seed', seed, '--report', report]);
  t.match(readFileSync(report, 'utf8'), /get\.hit/);
});

t.test('options that make no sense', async (t) => {
  for (const options of [
    ['--mix', '1/2/3'],
    ['--threads', '0'],
    ['--seconds', 'long'],
    ['--nonsense', '1'],
  ]) {
    await t.rejects(run(process.execPath, [program, ...options]), { code: 2 });
  }
});

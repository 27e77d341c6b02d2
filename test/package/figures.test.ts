/** The tables of README and docs are those of bench/results, and one that differs is noticed and written. */
import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const root = fileURLToPath(new URL('../../../', import.meta.url));

async function figures(...args: string[]): Promise<{ code: number; stderr: string }> {
  const run = promisify(execFile)(process.execPath, [`${root}scripts/figures.mjs`, ...args]);
  return run.then(
    ({ stderr }) => ({ code: 0, stderr }),
    (error: { code: number; stderr: string }) => error,
  );
}

t.test('the tables say what was measured', async (t) => {
  t.match(await figures('--check'), { code: 0, stderr: '' });
});

t.test('a result that changes is noticed, and written', async (t) => {
  const folder = t.testdir({});
  for (const part of ['README.md', 'docs', 'bench/results'])
    cpSync(root + part, `${folder}/${part}`, { recursive: true });
  const file = `${folder}/bench/results/quick.json`;
  const quick = JSON.parse(readFileSync(file, 'utf8'));
  for (const measurement of quick.measurements)
    if (measurement.scenario === 'str T2 95/5' && measurement.adapter === 'mooncake')
      Object.assign(measurement, { p99Us: 1_234_567, opsPerSecond: { median: 12_345_678 } });
  writeFileSync(file, JSON.stringify(quick));

  const { code, stderr } = await figures(folder, '--check');
  t.equal(code, 1);
  t.match(stderr, /^README\.md differs/);
  t.equal(
    readFileSync(`${folder}/README.md`, 'utf8'),
    readFileSync(`${root}README.md`, 'utf8'),
    'a check writes nothing',
  );

  t.equal((await figures(folder)).code, 0);
  t.match(readFileSync(`${folder}/README.md`, 'utf8'), /\| \*\*mooncake-cache\*\* +\| 12,300,000 +\| 1235 ms \|/);
  t.equal((await figures(folder, '--check')).code, 0);
});

t.test('a table of nothing', async (t) => {
  const folder = t.testdir({ 'README.md': '<!-- figures: nothing -->\n\n<!-- /figures -->\n', docs: {} });
  t.match(await figures(folder, '--check'), { code: 1, stderr: /README\.md: figures are one of ways, / });
});

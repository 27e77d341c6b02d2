/** `npm run check` runs every part, also after one failed, and its last line counts them all. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';
import { ONLY_LONG } from '../fixtures/effort.js';

const check = readFileSync(new URL('../../../scripts/check.mjs', import.meta.url), 'utf8');

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly lastLine: string;
}

/** Runs the script in a project whose parts do as told: each is a program's text. */
async function run(
  test: Pick<typeof t, 'testdir'>,
  parts: Record<string, string>,
  ...args: string[]
): Promise<Outcome> {
  const node = (name: string): string => `node ${name}.cjs`;
  const folder = test.testdir({
    'package.json': JSON.stringify({
      scripts: { lint: node('lint'), build: node('build'), 'check:package': node('package'), docs: node('docs') },
    }),
    ...Object.fromEntries(['lint', 'build', 'package', 'docs'].map((name) => [`${name}.cjs`, parts[name] ?? ''])),
    scripts: { 'check.mjs': check, 'test.mjs': parts.test ?? "console.log('7 passed, 0 failed')" },
  });
  const { code = 0, stdout } = await promisify(execFile)(process.execPath, ['scripts/check.mjs', ...args], {
    cwd: folder,
  }).then(
    (done) => ({ ...done, code: 0 }),
    (error: { code: number; stdout: string }) => error,
  );
  return { code, stdout, lastLine: stdout.trimEnd().split('\n').pop() ?? '' };
}

t.test('all well, with the long tests', ONLY_LONG, async (t) => {
  const test = "console.log(process.argv[2] === '--long' ? '30 passed, 0 failed' : '7 passed, 0 failed')";
  const { code, lastLine } = await run(t, { test }, '--long');
  t.equal(lastLine, '41 passed, 0 failed', 'lint, types, package, docs and 37 tests');
  t.equal(code, 0);
});

t.test('the first part fails, and the tests', ONLY_LONG, async (t) => {
  const test = "console.log('5 passed, 2 failed'); process.exitCode = 1";
  const { code, stdout, lastLine } = await run(t, { lint: 'process.exit(3)', test });
  t.equal(lastLine, '8 passed, 3 failed');
  t.equal(code, 1);
  t.match(stdout, /^lint +FAILED/m);
  t.match(stdout, /^tests +FAILED .*5 passed, 2 failed$/m);
  t.match(stdout, /^docs +ok/m, 'the last part has run all the same');
});

t.test('tests that die without or after their count', ONLY_LONG, async (t) => {
  t.equal((await run(t, { test: 'process.exit(1)' })).lastLine, '4 passed, 1 failed');
  const test = "console.log('7 passed, 0 failed'); process.exitCode = 1";
  t.equal((await run(t, { test })).lastLine, '11 passed, 1 failed');
});

/** The benchmark that holds one build against another: here, this one against itself. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { ONLY_LONG } from '../fixtures/effort.js';

const program = fileURLToPath(new URL('../../bench/against/main.js', import.meta.url));
const checkout = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

t.test('a build against itself', ONLY_LONG, async (t) => {
  const { stdout } = await run(process.execPath, [program, checkout, '--rounds', '2', '--round-ms', '5']);
  for (const mix of ['100/0', '95/5', '50/50']) t.match(stdout, new RegExp(`^\\| ${mix} .*\\| \\d\\.\\d{3} `, 'm'));
});

t.test('what cannot be compared is refused in one line', ONLY_LONG, async (t) => {
  const refused: readonly [readonly string[], RegExp][] = [
    [[], /^one checkout to compare with is needed/],
    [['a', 'b'], /^one checkout/],
    [['/nowhere'], /^there is no .*npm run build there makes it/],
    [[checkout, '--threads', '0'], /^--threads must be/],
  ];
  for (const [args, message] of refused)
    await t.rejects(run(process.execPath, [program, ...args]), { code: 2, stderr: message });
});

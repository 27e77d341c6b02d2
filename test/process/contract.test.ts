/**
 * The contract's own tests a second time, on caches that were opened by a path: each file in a process of its own, with
 * CACHES=on-files. In the usual run those that show most in little time, in the long run all.
 */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { LONG } from '../fixtures/effort.js';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../contract/', import.meta.url));
const all = readdirSync(folder).filter((name) => name.endsWith('.test.js'));
const usual = ['basics', 'habits', 'tags-namespaces', 'leaving', 'getorset'];
t.setTimeout(600_000);

for (const file of LONG ? all : usual.map((name) => `${name}.test.js`)) {
  t.test(file, async (t) => {
    // Each does its long part by itself.
    const env = { ...process.env, LONG: '', CACHES: 'on-files', TAP: '1' };
    // What it printed is the diagnosis of a failure, without what went well.
    const failed = await run(process.execPath, [folder + file], { env, maxBuffer: 2 ** 26 }).then(
      () => '',
      ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout.replace(/^ *ok .*\n/gm, '') + stderr,
    );
    t.equal(failed, '');
  });
}

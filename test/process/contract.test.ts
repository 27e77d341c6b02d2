/**
 * The contract's own tests a second time, on caches that were opened by a path: each file in a process of its own, with
 * CACHES=on-files; those with teams of threads with TEAMS=of-processes as well. In the usual run those that show most in
 * little time, in the long run all.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { LONG } from '../fixtures/effort.js';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../contract/', import.meta.url));
const textOf = (name: string): string => readFileSync(folder + name, 'utf8');
/** Others make no cache of the kind that can be on a file. */
const all = readdirSync(folder).filter((name) => name.endsWith('.test.js') && textOf(name).includes('/with-cache.js'));
const usual = ['basics', 'habits', 'tags-namespaces', 'leaving', 'getorset'];
t.setTimeout(600_000);

const teams = all.filter((name) => name.startsWith('threads') && textOf(name).includes('runTeam('));
for (const file of LONG ? all.filter((name) => !teams.includes(name)) : usual.map((name) => `${name}.test.js`)) {
  t.test(file, async (t) => t.equal(await failureOf(file), ''));
}

for (const file of LONG ? teams : ['threads-prefix.test.js']) {
  t.test(`${file}, teams of processes with two threads each`, async (t) => {
    t.equal(await failureOf(file, { TEAMS: 'of-processes' }), '');
  });
}

/** What it printed, without what went well; empty when all did. */
function failureOf(file: string, variables: Record<string, string> = {}): Promise<string> {
  // Each does its long part by itself.
  const env = { ...process.env, LONG: '', CACHES: 'on-files', TAP: '1', ...variables };
  return run(process.execPath, [folder + file], { env, maxBuffer: 2 ** 26 }).then(
    () => '',
    ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout.replace(/^ *ok .*\n/gm, '') + stderr,
  );
}

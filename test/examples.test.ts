/** Every program in examples/ asserts its own result: it must end by itself, with success, and say something. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { serverProgram } from '../scripts/services/redis.js';

const sources = fileURLToPath(new URL('../../examples/', import.meta.url));
const compiled = fileURLToPath(new URL('../examples/', import.meta.url));

// For the one that starts a server, which looks for it on the PATH.
const server = serverProgram();
const path = `${dirname(server?.path ?? '/')}${delimiter}${process.env.PATH ?? ''}`;
const env = { ...process.env, ...server?.env, PATH: path };

for (const name of readdirSync(sources).filter((file) => file.endsWith('.ts'))) {
  t.test(name, async (t) => {
    const script = compiled + name.replace(/\.ts$/, '.js');
    // An example that writes files takes the folder as its argument.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, t.testdir({})], {
      timeout: 60_000,
      env,
    });
    t.ok(stdout.length > 0);
    t.equal(stderr, '');
  });
}

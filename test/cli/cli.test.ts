/** The command, run as a program, on a cache that this process has open. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { folderFor } from '../fixtures/process/folder.js';

t.setTimeout(120_000);
const PROGRAM = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { timeout: 60_000 });
  return { code: status, out: stdout.toString('latin1'), err: stderr.toString() };
}

t.test('on a cache while its program runs', async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'cache');
  const cache = SharedCache.open<unknown>(path, { maxBytes: '4MB' });
  t.teardown(() => cache.close());
  cache.putMany([
    ['a', 'text'],
    ['b:1', { of: [1] }],
    ['b:2', Buffer.from([0, 255])],
    ['m', new Map([[1, 2]])],
  ]);
  t.match(JSON.parse(run('stats', path, '--json').out), { totalObjects: 4, threads: Number });
  t.strictSame(run('keys', path, '--prefix', 'b:').out.trim().split('\n').sort(), ['b:1', 'b:2']);
  t.equal(run('get', path, 'a').out, 'text\n');
  t.equal(run('get', path, 'b:1').out, '{"of":[1]}\n');
  t.equal(run('get', path, 'b:2').out, '\0\xff', 'octets as they are');
  t.match(run('get', path, 'm').out, 'Map(1)');
  t.match(run('get', path, 'absent'), { code: 1, err: /^mooncake-cache: there is no live entry[^\n]*\n$/ });
  t.match(JSON.parse(run('inspect', path, '--json').out), { ok: true });
  t.match(JSON.parse(run('dump', path, join(folder, 'dump'), '--json').out), { entries: 4 });
  t.equal(run('delete', path, 'a').code, 0);
  t.notOk(cache.has('a'), 'the program sees it');
  t.equal(run('delete', path, 'a').code, 1);
  t.match(JSON.parse(run('load', path, join(folder, 'dump'), '--json').out), { entries: 1, present: 3 });
  t.equal(run('clear', path).code, 0);
  t.equal(cache.size, 0);
});

t.test('what cannot be done is one line and an exit code', async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'none');
  for (const command of ['stats', 'clear', 'inspect', 'keys']) {
    t.match(run(command, path), { code: 1, out: '', err: /^[^\n]*there is no cache at[^\n]*\n$/ });
    t.notOk(existsSync(path), 'and makes no file');
  }
  const foreign = join(folder, 'foreign');
  writeFileSync(foreign, 'x'.repeat(10_000));
  t.match(run('stats', foreign), { code: 1, err: /^[^\n]+\n$/ });
  t.match(run('stat', path), { code: 2, err: 'did you mean stats?' });
  for (const args of [['stats'], ['get', path], ['stats', path, '--nope'], ['serve'], ['serve', path]])
    t.match(run(...args), { code: 2, err: /^[^\n]+Try --help\.\n$/ }, args.join(' '));
  t.match(run('--help'), { code: 0, out: 'Examples:' });
  t.match(run('get', '--help'), { code: 0, out: 'npx mooncake-cache get' });
});

t.test('serve', async (t) => {
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--size', '4MB', '--http', '127.0.0.1:0', '--json']);
  t.teardown(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { http } = JSON.parse(line) as { http: string };
  t.equal((await fetch(`http://${http}/healthz`)).status, 200);
  child.kill('SIGTERM');
  t.strictSame(await exited, [0, null]);
});

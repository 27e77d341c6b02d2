/** The command, run as a program, on a cache that this process has open. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import { onOneLine } from '../../src/cli/print.js';
import { Progress } from '../../src/cli/progress.js';
import { RateMeter } from '../../src/cli/rates.js';
import { lineOf, screenOf } from '../../src/cli/view.js';
import { type Codec, SharedCache } from '../../src/index.js';
import { folderFor } from '../fixtures/process/folder.js';

t.setTimeout(120_000);
const PROGRAM = fileURLToPath(new URL('../../lib/cli.js', import.meta.url));

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
  t.strictSame(JSON.parse(run('get', path, 'm', '--json').out), {
    key: 'm',
    type: 'Map',
    encoding: 'text',
    value: 'Map(1) { 1 => 2 }',
  });
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

/** Calls that reach the cache, if there is one: with each number of words, and the one that opens it itself. */
function callOf(command: string, path: string, folder: string): string[] {
  if (command === 'serve') return [command, path, '--http', '127.0.0.1:0'];
  if (command === 'get') return [command, path, 'a'];
  return command === 'dump' ? [command, path, join(folder, 'dump')] : [command, path];
}

t.test('no file is made, emptied or removed, whatever is there', async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'cache');
  for (const command of ['clear', 'get', 'dump', 'serve']) {
    const { code, out, err } = run(...callOf(command, path, folder));
    t.match({ code, out, err }, { code: 1, out: '', err: /^mooncake-cache: ERR_INVALID_FILE: [^\n]+\n$/ }, command);
  }
  t.strictSame(readdirSync(folder), [], 'none is made');
  SharedCache.open(path, { maxBytes: '1MB' }).close();
  const sound = readFileSync(path);
  const altered = (at: number, text: string): Buffer => {
    const bytes = Buffer.from(sound);
    bytes.write(text, at, 'latin1');
    return bytes;
  };
  const broken: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    foreign: Buffer.from('x'.repeat(10_000)),
    'of another version': altered(8, '\x02'),
    'cut short': sound.subarray(0, 100_000),
    'with shard heads of nonsense': Buffer.concat([sound.subarray(0, 65_536), Buffer.alloc(sound.length - 65_536, 7)]),
    // The word that says it was closed cleanly, and the boot that wrote it.
    'left by a machine that went down': altered(20, `${'\0'.repeat(4)}${'0'.repeat(36)}`),
  };
  for (const [name, bytes] of Object.entries(broken)) {
    writeFileSync(path, bytes);
    for (const command of name.startsWith('left') ? ['stats', 'keys', 'get', 'serve'] : ['stats']) {
      const { code, err } = run(...callOf(command, path, folder));
      t.match({ code, err }, { code: 1, err: /^mooncake-cache: ERR_INVALID_FILE: [^\n]+\n$/ }, `${name}: ${command}`);
    }
    t.ok(readFileSync(path).equals(bytes), `${name}: the file is as it was`);
  }
});

t.test('namespaces', async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'cache');
  const cache = SharedCache.open<unknown>(path, { maxBytes: '4MB' });
  t.teardown(() => cache.close());
  const users = cache.namespace('users');
  const inner = users.namespace('a\tb');
  for (const keyspace of [cache, users, inner]) keyspace.put('k', keyspace === cache ? 'own' : 'inside');
  inner.put('line\nend', 1);
  const lines = (...args: string[]): string[] =>
    run(...args)
      .out.trimEnd()
      .split('\n')
      .sort();
  t.strictSame(lines('keys', path), ['k'], 'those outside of namespaces');
  t.strictSame(lines('keys', path, '--all'), ['"line\\nend"\tusers/"a\\tb"', 'k', 'k\tusers', 'k\tusers/"a\\tb"']);
  t.strictSame(lines('keys', path, '--all', '--json', '--namespace', 'users', '--prefix', 'k'), [
    '{"key":"k","namespaces":["users","a\\tb"]}',
    '{"key":"k","namespaces":["users"]}',
  ]);
  t.strictSame(lines('keys', path, '--namespace', 'users', '--namespace', 'a\tb', '--json'), ['"k"', '"line\\nend"']);
  t.equal(lines('keys', path, '--all', '--limit', '3').length, 3);
  t.equal(run('get', path, 'k', '--namespace', 'users').out, 'inside\n');
  t.match(run('get', path, 'k', '--namespace', 'user'), { code: 1, out: '' });
  t.match(JSON.parse(run('dump', path, join(folder, 'dump'), '--namespace', 'users', '--json').out), { entries: 3 });
  t.equal(run('delete', path, 'k', '--namespace', 'users').code, 0);
  t.strictSame([cache.has('k'), users.has('k'), inner.has('k')], [true, false, true]);
  t.equal(run('clear', path, '--namespace', 'users').code, 0);
  t.strictSame([cache.has('k'), inner.has('k')], [true, false], 'what is inside goes too, nothing else');
  t.match(JSON.parse(run('load', path, join(folder, 'dump'), '--namespace', 'new', '--json').out), { entries: 3 });
  t.equal(cache.namespace('new').namespace('a\tb').get('k'), 'inside', 'into another namespace');
});

t.test('a cache with a codec of its own', async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'cache');
  const module = join(folder, 'codec.mjs');
  writeFileSync(
    module,
    `export default {
      encode: ({ word }) => Buffer.from(word.toUpperCase()),
      decode: (bytes) => ({ word: Buffer.from(bytes).toString() }),
    };`,
  );
  const { default: codec } = (await import(pathToFileURL(module).href)) as { default: Codec };
  const cache = SharedCache.open<unknown>(path, { maxBytes: '4MB', codec });
  t.teardown(() => cache.close());
  cache.put('a', { word: 'text' });
  t.equal(run('get', path, 'a').code, 1, 'is not opened without');
  t.equal(run('get', path, 'a', '--codec', module).out, '{"word":"TEXT"}\n');
  t.equal(run('get', path, 'a', '--codec', relative(process.cwd(), module)).out, '{"word":"TEXT"}\n');
  t.match(JSON.parse(run('inspect', path, '--codec', module, '--json').out), { ok: true });
  const served = run('serve', path, '--codec', module, '--http', 'nowhere');
  t.match(served, { code: 2, err: /nowhere/ }, 'serve opens it too, and gets as far as the address');
  writeFileSync(module, 'export default { encode() {} };');
  t.match(run('get', path, 'a', '--codec', module), { code: 2, err: /^mooncake-cache: --codec must be [^\n]*\n$/ });
  t.match(run('get', path, 'a', '--codec', join(folder, 'absent')), {
    code: 2,
    err: /^mooncake-cache: --codec cannot be loaded: [^\n]*\n$/,
  });
  t.equal(cache.size, 1, 'and nothing has changed');
});

t.test('what cannot be done is one line and an exit code', async (t) => {
  const folder = folderFor(t);
  const path = join(folder, 'none');
  t.match(run('stat', path), { code: 2, err: 'did you mean stats?' });
  for (const args of [
    ['get', path],
    ['keys', path, '--limit', 'x'],
    ['stats', ''],
    ['serve', path],
    ['serve', '--size', 'x', '--resp', '127.0.0.1:0'],
    ['serve', '--size', '4MB', '--http', '0.0.0.0:0'],
  ])
    t.match(run(...args), { code: 2, out: '', err: /^mooncake-cache: [^\n]+ Try --help\.\n$/ }, args.join(' '));
  t.strictSame(JSON.parse(run('stats', '--json', '--jsn').err), {
    error: { message: 'unknown option "--jsn": did you mean --json?' },
  });
  const { code, out, err } = run('get', path, 'k', '--json');
  t.match({ code, out, ...JSON.parse(err) }, { code: 1, out: '', error: { code: 'ERR_INVALID_FILE', message: path } });
  t.match(run('--help'), { code: 0, out: 'Examples:' });
  t.match(run('get', '--help'), { code: 0, out: 'npx mooncake-cache get' });
});

t.test('top', async (t) => {
  const path = join(folderFor(t), 'cache');
  const cache = SharedCache.open<unknown>(path, { maxBytes: '4MB', monitor: { sample: 1 } });
  t.teardown(() => cache.close());
  const top = (...args: string[]) => {
    const child = spawn(process.execPath, [PROGRAM, 'top', path, ...args]);
    t.teardown(() => child.kill('SIGKILL'));
    return { child, exited: once(child, 'exit'), lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
  };
  const work = (): void => {
    for (let i = 0; i < 20; i++) cache.put(`k${i}`, i);
    for (let i = 0; i < 30; i++) cache.get(`k${i}`);
    cache.delete('k0');
  };
  const { exited, lines } = top('--interval', '0.2', '--count', '200', '--json');
  // Until a look falls between two of this thread's works.
  for (;;) {
    const { value, done } = await lines.next();
    if (done) break;
    const { perSecond, hitRatio, stats, latency, left, hottest } = JSON.parse(value);
    work();
    if (perSecond.puts === 0 || hitRatio === null) continue;
    t.ok(hitRatio > 0.5 && hitRatio < 0.8, `${hitRatio}`);
    t.ok(perSecond.gets > perSecond.puts && perSecond.puts > perSecond.deletes && perSecond.deletes > 0);
    t.ok(left.deleted > 0);
    t.match(stats, { totalObjects: Number, maxBytes: 4 * 2 ** 20 });
    t.match(latency['get.hit'], { p50: Number, p99: Number });
    t.match(hottest.keys[0], { key: /^k\d+$/, namespaces: [], share: Number, opsPerSecond: Number, isCut: false });
    break;
  }
  t.ok(await Promise.race([exited.then(() => false), lines.next().then(() => true)]), 'it goes on');

  const brief = top('--interval', '0.05', '--count', '2');
  t.match((await brief.lines.next()).value, /^\d\d:\d\d:\d\d {2}gets \d+\/s {2}hits .* memory \d/);
  t.strictSame(await brief.exited, [0, null], 'and ends after so many looks');

  const endless = top('--interval', '0.05');
  await endless.lines.next();
  endless.child.kill('SIGINT');
  t.strictSame(await endless.exited, [0, null], 'or at Ctrl-C');
});

t.test('the screen of top', async (t) => {
  const cache = new SharedCache({ maxBytes: '4MB', monitor: true });
  t.teardown(() => cache.close());
  const meter = new RateMeter(cache);
  for (let i = 0; i < 100; i++) cache.put(`k${i}`, 'x'.repeat(1_000));
  cache.get('k1');
  cache.monitor?.recordOperation('lookup', 2, true);
  cache.monitor?.recordOperation('evil\x1b[2J', 1, true);
  const rates = meter.look();
  const screen = screenOf('/dev/shm/app', rates, false);
  t.match(screen, /^\/dev\/shm\/app {2}100 entries, 1 threads\n/);
  t.match(screen, /^memory +█+░+ \d+\.\d % of 4\.0 MB$/m);
  t.match(screen, /^gets .*\/s +100\.0 % hits, 100\.0 % since the start$/m);
  t.match(screen, /^left +evicted 0\/s/m);
  t.match(screen, /^ms +p50 +p99 +max$/m);
  t.match(screen, /^lookup +[\d.]+ +[\d.]+ +[\d.]+$/m);
  t.notOk(screen.includes('\x1b'), 'no escape reaches the terminal that the view did not make');
  t.ok(screenOf('p', rates, true).startsWith('\x1b[1mp'));
  t.match(screenOf('p', meter.look(), false), /^gets +0\/s +– hits/m, 'no gets, no ratio');
});

t.test('the hottest keys in top', async (t) => {
  const cache = new SharedCache({ maxBytes: '4MB', monitor: { sample: 1 }, sweep: false });
  const plain = new SharedCache({ maxBytes: '4MB', sweep: false });
  t.teardown(() => {
    cache.close();
    plain.close();
  });
  const hostile = 'a\r\n\x1b[2J\x9b31m\u202e\ud800<b>';
  const times = (count: number, use: () => void): void => Array.from({ length: count }).forEach(use);
  times(50, () => cache.namespace('users').namespace('e\x07u').get(hostile));
  times(30, () => cache.put('plain key', 1));
  times(15, () => cache.get('é'.repeat(32_768)));
  times(5, () => cache.get(''));
  const rates = new RateMeter(cache).look();
  const screen = screenOf('p', rates, false);
  t.match(screen, /^hottest +share +about +reads {2}estimated from 100 operations of the last \d+ s$/m);
  const place = 'a\\?\\?\\?\\[2J\\?31m\\?\\?<b> in users/e\\?u';
  t.match(screen, new RegExp(`^ +50\\.0 % +[\\d,]+/s +100\\.0 % {2}${place}$`, 'm'));
  t.match(screen, /^ +30\.0 % +[\d,]+\/s +0\.0 % {2}plain key$/m);
  t.match(screen, /^ +15\.0 % +[\d,]+\/s +100\.0 % {2}é{59}…$/m);
  t.match(screen, /^ +5\.0 % +[\d,]+\/s +100\.0 % {2}""$/m);
  t.match(lineOf(rates), new RegExp(` {2}hottest 50\\.0 % ${place}$`));
  for (const text of [screen.replaceAll('\n', ''), lineOf(rates)]) t.notMatch(text, /\p{C}/u);
  const { key, namespaces } = JSON.parse(JSON.stringify(rates)).hottest.keys[0];
  t.strictSame({ key, namespaces }, { key: hostile, namespaces: ['users', 'e\x07u'] }, 'JSON has them as they are');

  const without = new RateMeter(plain).look();
  t.equal(without.hottest, null);
  t.match(screenOf('p', without, false), /^hottest +keys are known of a cache with a monitor$/m);
  t.notMatch(lineOf(without), /hottest/);
});

t.test('names on one line', (t) => {
  t.equal(onOneLine('a key of "é🥮"'), 'a key of "é🥮"');
  const hostile = 'a\n\x1b[2J\x7f\x9b31m';
  t.equal(onOneLine(hostile), String.raw`"a\n\u001b[2J\u007f\u009b31m"`);
  t.equal(JSON.parse(onOneLine(hostile)), hostile);
  t.end();
});

t.test('progress of long work', async (t) => {
  const at = (isTTY: boolean, ...looks: readonly number[]): string => {
    let [now, said] = [0, ''];
    const stream = { isTTY, write: (part: string) => (said += part) };
    const progress = new Progress('dump', stream, () => now);
    for (now of looks) progress.onProgress({ entries: 1_234, bytes: 3 * 2 ** 20 });
    progress.stop();
    return said.replaceAll('\r\x1b[K', '<');
  };
  t.equal(at(true, 100, 1_900), '', 'what is quick says nothing');
  t.equal(at(true, 2_000, 4_100), '<dump: 1,234 entries, 3.0 MB, 2 s<dump: 1,234 entries, 3.0 MB, 4 s<');
  t.equal(
    at(false, 2_000, 4_100, 12_000),
    'dump: 1,234 entries, 3.0 MB, 2 s\ndump: 1,234 entries, 3.0 MB, 12 s\n',
    'without a terminal a line now and then',
  );
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

t.test('serve with a token, at a socket and a port', async (t) => {
  const folder = folderFor(t);
  const [tokenFile, socket] = [join(folder, 'token'), join(folder, 'resp.sock')];
  writeFileSync(tokenFile, 'the-secret\n');
  const options = ['--http', '127.0.0.1:0', '--resp', socket, '--token-file', tokenFile, '--json'];
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--size', '4MB', ...options]);
  t.teardown(() => child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { http, resp } = JSON.parse(line) as { http: string; resp: string };
  t.equal(resp, socket);
  t.equal((await fetch(`http://${http}/stats`)).status, 401);
  const authorization = 'Bearer the-secret';
  t.equal((await fetch(`http://${http}/stats`, { headers: { authorization } })).status, 200);
  const client = connect(socket);
  client.write('DBSIZE\r\nAUTH the-secret\r\nDBSIZE\r\nQUIT\r\n');
  t.match(await text(client), /^-NOAUTH[^\r]*\r\n\+OK\r\n:0\r\n\+OK\r\n$/);
  child.kill('SIGINT');
  t.strictSame(await exited, [0, null]);
  t.notOk(existsSync(socket), 'the socket is gone');
  t.match(run('serve', '--size', '4MB', '--resp', socket, '--token-file', join(folder, 'none')), {
    code: 1,
    err: 'none',
  });
});

t.test('a reader that has had enough', async (t) => {
  const path = join(folderFor(t), 'cache');
  const cache = SharedCache.open<unknown>(path, { maxBytes: '16MB' });
  t.teardown(() => cache.close());
  for (let i = 0; i < 50_000; i++) cache.put(`a key of some length, number ${i}`, i);
  const child = spawn(process.execPath, [PROGRAM, 'keys', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const said = text(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  t.strictSame(await exited, [0, null]);
  t.equal(await said, '');
});

/** createServer: what it takes, where it listens, and how it ends. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { createServer } from '../../src/server/index.js';
import { withCache } from '../fixtures/with-cache.js';

const HEALTHY = '{"status":"ok"}';

t.test('options that make no sense, and addresses that would be open to all', async (t) => {
  const cache = withCache<unknown>(t);
  for (const options of [
    undefined,
    null,
    {},
    { cache },
    { cache: {}, http: '127.0.0.1:0' },
    { cache, http: '127.0.0.1:0', htp: '' },
    { cache, resp: '0.0.0.0:0' },
    { cache, resp: -1 },
    { cache, resp: 1.5 },
    { cache, resp: 65_536 },
    { cache, resp: Number.NaN },
    { cache, resp: [0] },
    { cache, http: '127.0.0.1:0', resp: '' },
    { cache, http: '' },
    { cache, http: ':' },
    { cache, http: '-1' },
    { cache, http: '65536' },
    { cache, http: ' 0' },
    { cache, http: '0x50' },
    { cache, http: '[127.0.0.1]:0' },
    { cache, http: '[]:0' },
    { cache, http: '[::1]' },
    { cache, http: '127.0.0.256:0' },
    { cache, http: 'http://127.0.0.1:0' },
    { cache, http: '127.0.0.1:0/' },
    { cache, http: 'unix:/tmp/app.sock' },
    { cache, http: 'sockets/app.sock' },
    { cache, http: 'app.sock' },
    { cache, http: `/${'x'.repeat(107)}` },
    { cache, http: '/tmp/a\0b' },
    { cache, http: '\0abstract/name' },
    { cache, http: '127.0.0.1' },
    { cache, http: '127.0.0.1:x' },
    { cache, http: '127.0.0.1:65536' },
    { cache, http: '::1:80' },
    { cache, http: '0.0.0.0:0' },
    { cache, http: '[::]:0' },
    { cache, http: '10.0.0.1:0' },
    { cache, http: 'example.test:0' },
    { cache, http: '127.0.0.1.example.test:0' },
    { cache, http: '127.0.0.1:0', token: '' },
    { cache, http: '127.0.0.1:0', token: 'two words' },
    { cache, http: '127.0.0.1:0', token: 5 },
  ])
    await t.rejects(createServer(options as never), { name: 'SharedCacheError', code: 'ERR_INVALID_OPTION' });
  const refused = createServer({ cache, http: '127.0.0.1:0', token: 'süß-secret' });
  const error = await refused.then(
    () => 'none',
    (reason: Error) => reason.message,
  );
  t.match(error, 'token must be');
  t.notMatch(error, 'secret', 'an error never shows the token');
});

t.test('loopback addresses, and any address with a token', async (t) => {
  const cache = withCache<unknown>(t);
  for (const http of ['127.0.0.1:0', 'localhost:0', 'LOCALHOST:0', '[::1]:0', '0.0.0.0:0', '0', ':0', 0]) {
    const token = http === '0.0.0.0:0' ? 'secret' : undefined;
    const server = await createServer({ cache, http, token });
    const { http: address = '' } = server.addresses;
    t.match(address, /^(127\.0\.0\.1|\[::1\]|0\.0\.0\.0):[1-9]\d*$/);
    const url = `http://${address.replace('0.0.0.0', '127.0.0.1')}`;
    t.equal(await (await fetch(`${url}/healthz`)).text(), HEALTHY);
    t.equal((await fetch(`${url}/stats`)).status, token === undefined ? 200 : 401);
    await t.rejects(createServer({ cache, http: address, token }), {
      code: 'ERR_LISTEN_FAILED',
      message: /^cannot listen at port \d+ of .*EADDRINUSE/,
      cause: { code: 'EADDRINUSE' },
    });
    if (`${http}`.length < 3) t.match(address, /^127\.0\.0\.1:/, 'a port alone is one of the loopback');
    await Promise.all([server.close(), server.close()]);
    t.notOk(cache.closed, 'the cache is the program’s');
  }
});

t.test('both protocols, or neither', async (t) => {
  const cache = withCache<unknown>(t);
  const server = await createServer({ cache, http: '127.0.0.1:0', resp: '127.0.0.1:0' });
  t.strictSame(Object.keys(server.addresses), ['http', 'resp']);
  const { resp } = server.addresses;
  await t.rejects(createServer({ cache, http: '127.0.0.1:0', resp }), { code: 'ERR_LISTEN_FAILED' });
  await server.close();
});

t.test('a socket, which is its owner’s alone and goes with the server', async (t) => {
  const cache = withCache<unknown>(t);
  const folder = mkdtempSync(join(tmpdir(), 'mooncake-socket-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'http.sock');
  const server = await createServer({ cache, http: path });
  t.strictSame(server.addresses, { http: path });
  t.equal(statSync(path).mode & 0o777, 0o600);
  const answer = await new Promise<string>((resolve, reject) => {
    const asked = request({ socketPath: path, path: '/healthz', headers: { host: 'anything' } });
    asked.once('response', (response) => resolve(text(response))).once('error', reject);
    asked.end();
  });
  t.equal(answer, HEALTHY);
  await server.close();
  t.notOk(existsSync(path));
  const near = await createServer({ cache, http: relative(process.cwd(), path) });
  t.ok(existsSync(path), 'a path from where the program is');
  await near.close();
  const longest = join(folder, 'x'.repeat(103 - folder.length - 1));
  const far = await createServer({ cache, http: longest });
  t.ok(existsSync(longest), 'a long one is not cut');
  await far.close();
  await t.rejects(createServer({ cache, http: join(folder, 'none', 'socket') }), { code: 'ERR_LISTEN_FAILED' });
});

/** Who may ask: names of other hosts, pages of other origins, callers without the token. */
import type { OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { serving } from '../fixtures/serving.js';

t.test('a server on the loopback answers to its own names only', async (t) => {
  const { ask, port } = await serving(t);
  for (const host of [
    'localhost',
    `localhost:${port}`,
    'LocalHost:1',
    'localhost.',
    'app.localhost:9000',
    '127.0.0.1',
    `127.0.0.1:${port}`,
    '[::1]:80',
  ])
    t.equal((await ask('GET', '/stats', { headers: { host } })).status, 200, host);
  for (const host of [
    'evil.example',
    `evil.example:${port}`,
    'localhost.evil.example',
    'evil.example@localhost',
    'localhost@evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    'localhost/evil',
    'xlocalhost',
  ])
    for (const path of ['/stats', '/metrics', '/v1/keys/k', '/nothing', '/'])
      t.equal((await ask('GET', path, { headers: { host } })).status, 403, `${host} ${path}`);
  t.equal((await ask('GET', 'http://evil.example/stats')).status, 403, 'a name in the target');
  t.equal((await ask('GET', '/healthz', { headers: { host: 'probe.example' } })).status, 200);

  const raw = async (head: string): Promise<string> => text(connect(port, '127.0.0.1').end(`${head}\r\n\r\n`));
  t.match(await raw('GET /stats HTTP/1.1\r\nHost: localhost\r\nHost: evil.example'), /^HTTP\/1\.1 400/);
  t.match(await raw('GET /stats HTTP/1.1'), /^HTTP\/1\.1 400/);
  t.match(await raw('GET /stats HTTP/1.1\r\nHost:'), /^HTTP\/1\.1 403/);
});

t.test('pages of other origins write nothing', async (t) => {
  const { ask, cache, port } = await serving(t);
  cache.put('k', 'kept', { tags: ['tag'] });
  const here = `localhost:${port}`;
  const json = { 'content-type': 'application/json' };
  const writes = async (headers: OutgoingHttpHeaders): Promise<number[]> => {
    const own = { host: here, ...headers };
    const invalidated = await ask('POST', '/v1/invalidate', { headers: { ...json, ...own }, body: '{"tags":["tag"]}' });
    const put = await ask('PUT', '/v1/keys/k', { headers: own, body: 'new' });
    const removed = await ask('DELETE', '/v1/keys/k', { headers: own });
    return [invalidated.status, put.status, removed.status];
  };
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: '' },
    { origin: `http://localhost:${port + 1}` },
    { origin: `file://${here}` },
    { origin: `http://${here}.evil.example` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: `http://${here}`, 'sec-fetch-site': 'cross-site' },
  ]) {
    t.strictSame(await writes(headers), [403, 403, 403], JSON.stringify(headers));
    t.equal(cache.get('k'), 'kept');
  }
  for (const headers of [
    {},
    { origin: `http://${here}`, 'sec-fetch-site': 'same-origin' },
    { origin: `https://${here}` },
    { 'sec-fetch-site': 'none' },
  ])
    t.strictSame(await writes(headers), [204, 201, 204], JSON.stringify(headers));
  t.equal((await ask('OPTIONS', '/v1/keys/k', { headers: { origin: 'http://evil.example' } })).status, 405);
});

t.test('the token', async (t) => {
  const { ask, cache } = await serving(t, {}, 'secret-token');
  const requests: [string, string][] = [
    ['GET', '/stats'],
    ['HEAD', '/metrics'],
    ['GET', '/v1/keys/k'],
    ['PUT', '/v1/keys/k'],
    ['DELETE', '/v1/keys/k'],
    ['POST', '/v1/invalidate'],
    ['GET', '/nothing'],
    ['PATCH', '/stats'],
  ];
  for (const authorization of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer secret-toke',
    'Bearer secret-token2',
    'Bearer Secret-Token',
    'Basic secret-token',
    'secret-token',
    'Bearer another-token',
    `Bearer ${'x'.repeat(100_000)}`,
  ]) {
    for (const [method, path] of requests) {
      const headers = authorization === undefined ? {} : { authorization };
      const answer = await ask(method, path, { headers, body: 'x' });
      t.equal(answer.status, 401, `${method} ${path} ${authorization?.slice(0, 30)}`);
      t.equal(answer.headers['www-authenticate'], 'Bearer realm="mooncake-cache"');
      t.notMatch(answer.text, 'secret');
    }
  }
  t.equal(cache.size, 0);
  const headers = { authorization: 'bearer  secret-token' };
  t.equal((await ask('PUT', '/v1/keys/k', { headers, body: 'x' })).status, 201);
  t.equal((await ask('GET', '/stats', { headers })).status, 200);
  t.equal((await ask('GET', '/healthz')).status, 200);
  t.equal((await ask('GET', '/stats', { headers: { ...headers, host: 'evil.example' } })).status, 403);
  const cross = { ...headers, origin: 'http://evil.example' };
  t.equal((await ask('PUT', '/v1/keys/k', { headers: cross, body: 'y' })).status, 403);
});

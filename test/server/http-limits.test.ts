/** Slow, broken and many clients beside a good one, and the end of a server. */
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import t from 'tap';
import { BodyBudget } from '../../src/server/http/body.js';
import { Connections } from '../../src/server/http/connections.js';
import { effort } from '../fixtures/effort.js';
import { type WholeRandom, wholeNumbers } from '../fixtures/random.js';
import { type Ask, serving } from '../fixtures/serving.js';

t.setTimeout(300_000);

/** What a good client does, and must go on being able to. */
async function works(ask: Ask, key: string): Promise<boolean> {
  const put = await ask('PUT', `/v1/keys/${key}`, { body: key });
  const got = await ask('GET', `/v1/keys/${key}`);
  const head = await ask('HEAD', `/v1/keys/${key}`);
  const removed = await ask('DELETE', `/v1/keys/${key}`);
  return put.status === 201 && got.text === key && head.status === 200 && removed.status === 204;
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

t.test('500 connections that never finish their request', async (t) => {
  const { ask, port, close } = await serving(t);
  const beginnings = [
    '',
    'G',
    'GET /v1/keys/k HTTP/1.1\r\nHost: localhost\r\nX-Slow: ',
    'PUT /v1/keys/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf',
    'PUT /v1/keys/slow HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nab',
  ];
  const slow = await Promise.all(Array.from({ length: 500 }, () => open(port)));
  for (const [i, socket] of slow.entries()) socket.write(beginnings[i % beginnings.length]);
  for (let round = 0; round < 20; round++) {
    for (const [i, socket] of slow.entries()) if (i % beginnings.length > 1) socket.write('a');
    t.ok(await works(ask, `good${round}`));
  }
  t.equal((await ask('GET', '/v1/keys/slow')).status, 404);
  for (const socket of slow) socket.destroy();
  await close();
});

t.test('a thousand clients at once, each on a connection of its own', async (t) => {
  const { ask } = await serving(t);
  const clients = Array.from({ length: 1_000 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const one = async (agent: Agent, i: number): Promise<boolean> => {
    const put = await ask('PUT', `/v1/keys/k${i}`, { agent, body: `v${i}` });
    const got = await ask('GET', `/v1/keys/k${i}`, { agent });
    return put.status === 201 && got.text === `v${i}`;
  };
  const worked = await Promise.all(clients.map(one));
  for (const agent of clients) agent.destroy();
  t.equal(worked.filter(Boolean).length, 1_000);
});

t.test('bodies being received have one bound, and give their room back', async (t) => {
  const budget = new BodyBudget(1_000);
  const bound = 64 * 2 ** 20 + 2_000;
  t.ok(budget.take(bound));
  t.notOk(budget.take(1));
  budget.give(1);
  t.ok(budget.take(1));

  const { ask } = await serving(t, { maxBytes: '16MB' });
  const body = Buffer.alloc(1_000_000);
  const statuses = new Set<number>();
  for (let sent = 0; sent < 2 * bound; sent += body.length)
    statuses.add((await ask('PUT', '/v1/keys/k', { body, headers: { 'if-match': '"0"' } })).status);
  t.strictSame([...statuses], [412], 'refused ones too');
});

t.test('broken requests', async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 1e9);
  t.comment(`SEED=${seed}`);
  const { ask, port, cache } = await serving(t);
  cache.put('kept', 'kept');
  const below = wholeNumbers(seed);
  const requests = effort('BROKEN_REQUESTS', 1_200, 50_000);
  const AT_ONCE = 50;
  const wrong: string[] = [];
  for (let done = 0; done < requests; done += AT_ONCE) {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const broken = breakRequest(below);
        const socket = await open(port);
        const answered = text(socket).catch(() => '');
        socket.end(broken, 'latin1');
        const answer = await answered;
        // No answer to what is cut short; else one of HTTP, and never what only a fault of the server's own gives.
        if (answer !== '' && !/^HTTP\/1\.1 (100|[24]\d\d|3\d\d|503)/.test(answer)) wrong.push(`${broken} -> ${answer}`);
        socket.destroy();
      }),
    );
    if (!(await works(ask, 'good'))) wrong.push('the good client was disturbed');
  }
  t.strictSame(wrong, []);
  t.equal(cache.peek('kept'), 'kept');
});

t.test('a server that closes: idle connections end, running requests finish', async (t) => {
  const { ask, port, cache, close } = await serving(t, { maxBytes: '64MB', shards: 1 });
  const large = Buffer.alloc(12_000_000, 'x');
  cache.put('large', large);
  const idle = await open(port);
  const half = await open(port);
  half.write('GET /v1/keys/k HT');
  const reading = await open(port);
  reading.pause().write('GET /v1/keys/large HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const writing = await open(port);
  writing.write('PUT /v1/keys/late HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nla');
  await once(writing, 'data');
  // The server has begun to answer both by then.
  await ask('GET', '/healthz');
  const ended = Promise.all([once(idle, 'close'), once(half, 'close')]);
  const closed = close();
  await ended;
  const answer = text(writing);
  writing.write('te');
  t.match(await answer, /^HTTP\/1\.1 201 Created\r\n(.+\r\n)*connection: close\r\n/i);
  t.equal(String(cache.get('late')), 'late');
  const received = await buffer(reading);
  t.equal(received.length - received.indexOf('\r\n\r\n') - 4, large.length, 'all of the answer arrives');
  await closed;
  await t.rejects(ask('GET', '/healthz', { agent: new Agent() }), { code: 'ECONNREFUSED' });
});

t.test('what does not get on when a server closes is cut off', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  const connections = new Connections(server);
  await once(server, 'listening');
  const begun = once(server, 'request').then(([, response]) => connections.begin(response));
  const stuck = await open((server.address() as AddressInfo).port);
  stuck.write('PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n');
  await begun;
  const ended = once(stuck, 'close');
  await connections.end(1);
  await ended;
  t.notOk(server.listening);
});

/** A request with some of its octets lost, doubled, changed or moved, and sometimes another behind it. */
function breakRequest(below: WholeRandom): string {
  const pick = <T>(list: readonly T[]): T => list[below(list.length)];
  const headers = [
    'Content-Length: 5',
    'Content-Length: -1',
    'Content-Length: 99999999999999999999',
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: chunked, gzip',
    'If-Match: "1", ',
    'If-None-Match: *',
    'X-Cache-Tags: a, %, b',
    'X-Cache-Namespace: %41,%ff',
    'Authorization: Bearer x',
    'Expect: 100-continue',
    'Connection: upgrade\r\nUpgrade: websocket',
    'Connection: close',
    `X-Long: ${'y'.repeat(below(3_000))}`,
  ];
  const path = pick([
    '/',
    '/v1/keys/f',
    '/v1/keys/%zz?ttl=5m',
    '/v1/invalidate',
    '/stats',
    'http://[/',
    '*',
    '/healthz?',
  ]);
  const lines = [
    `${pick(['GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'OPTIONS', 'CONNECT', 'TRACE', 'get', ''])} ${path} HTTP/1.${below(3)}`,
    'Host: localhost',
    ...Array.from({ length: below(4) }, () => pick(headers)),
  ];
  let request = `${lines.join('\r\n')}\r\n\r\n${pick(['', 'hello', '5\r\nhello\r\n0\r\n\r\n', '{"tags":["x"]}'])}`;
  for (let changes = below(4); changes > 0; changes--) {
    const at = below(request.length);
    const length = below(8);
    const change = below(4);
    if (change === 0) request = request.slice(0, at) + request.slice(at + length);
    else if (change === 1) request = request.slice(0, at + length) + request.slice(at);
    else if (change === 2) request = request.slice(0, at) + String.fromCharCode(below(256)) + request.slice(at + 1);
    else request = request.slice(0, at);
  }
  return request;
}

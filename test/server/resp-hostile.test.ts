/** Broken frames, lengths that lie, clients that do not read: none disturbs a good client. */
import { once } from 'node:events';
import { Redis } from 'ioredis';
import t from 'tap';
import { createServer } from '../../src/server/index.js';
import { ProtocolError, RequestParser } from '../../src/server/resp/parser.js';
import { effort, LONG } from '../fixtures/effort.js';
import { wholeNumbers } from '../fixtures/random.js';
import { ALL_OCTETS, rawClient, serveResp, untilClosed } from '../fixtures/resp.js';
import { withCache } from '../fixtures/with-cache.js';

t.setTimeout(LONG ? 600_000 : 120_000);
const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
t.comment(`SEED=${SEED}`);

const LIMITS = { args: 100, argBytes: 1_000, frameBytes: 2_000 };
const frame = (...args: string[]): string =>
  `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`;

function parse(octets: string, cuts: (left: number) => number, limits = LIMITS): string[][] {
  const parser = new RequestParser(limits);
  const found: string[][] = [];
  const bytes = Buffer.from(octets, 'latin1');
  for (let at = 0; at < bytes.length; ) {
    const size = cuts(bytes.length - at);
    parser.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
    for (let args = parser.next(); args !== undefined; args = parser.next()) found.push(args);
  }
  if (parser.pendingBytes > 0) throw new Error('something is left');
  return found;
}

t.test('commands however they are cut', async (t) => {
  const all = ALL_OCTETS.toString('latin1');
  const stream = `${frame('SET', 'k', all)}PING\r\n*0\r\n\r\n  echo \t x \n${frame('GET', '')}*-1\r\n${frame(all, all)}`;
  const expected = [['SET', 'k', all], ['PING'], ['echo', 'x'], ['GET', ''], [all, all]];
  t.strictSame(
    parse(stream, (left) => left),
    expected,
  );
  t.strictSame(
    parse(stream, () => 1),
    expected,
  );
  const below = wholeNumbers(SEED);
  for (let i = 0; i < 300; i++)
    t.strictSame(
      parse(stream, () => 1 + below(40)),
      expected,
    );
});

t.test('inline commands are words as Redis reads them', (t) => {
  const words: [string, string[]][] = [
    ['SET k "a b"', ['SET', 'k', 'a b']],
    [String.raw`SET k 'a "b" \n \' c'`, ['SET', 'k', String.raw`a "b" \n ' c`]],
    [String.raw`ECHO "\x41\xfF\n\r\t\b\a\\\"\x4\q"`, ['ECHO', 'A\xff\n\r\t\b\x07\\"x4q']],
    [`GET "" ''`, ['GET', '', '']],
    [String.raw`GET k"ey" \x41`, ['GET', 'key', String.raw`\x41`]],
    ['\v GET\f\tk\xa0\v', ['GET', 'k\xa0']],
  ];
  for (const [line, expected] of words)
    t.strictSame(
      parse(`${line}\r\n`, (left) => left),
      [expected],
      line,
    );
  for (const line of ['GET "k', "GET 'k", 'GET "k"x', 'GET \'k\'"x"', String.raw`GET "k\"`, String.raw`GET 'k\'`])
    t.throws(() => parse(`${line}\n`, (left) => left), new ProtocolError('unbalanced quotes in request'), line);
  t.end();
});

t.test('nothing runs after QUIT or a broken frame, in the same packet or later', async (t) => {
  const { cache, port } = await serveResp(t);
  for (const last of ['QUIT\r\n', '*1\r\n:5\r\n']) {
    const socket = await rawClient(port);
    const closed = untilClosed(socket);
    socket.write(last + frame('SET', 'late', '1'));
    await once(socket, 'data');
    socket.write(frame('SET', 'later', '1'));
    t.match(await closed, /^(\+OK|-ERR Protocol error.*)\r\n$/);
    t.notOk(cache.has('late') || cache.has('later'));
  }
});

t.test('what is refused, as soon as it is known', async (t) => {
  const refused: [string, string][] = [
    ['*101\r\n', 'invalid multibulk length'],
    ['*99999999999999999999', 'invalid multibulk length'],
    ['*1x\r\n', 'invalid multibulk length'],
    ['*\r\n', 'invalid multibulk length'],
    ['*-2\r\n', 'invalid multibulk length'],
    ['*1\r\n:5\r\n', "expected '$'"],
    ['*1\r\n$1001', 'invalid bulk length'],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$+1\r\n', 'invalid bulk length'],
    [`*3\r\n${`$900\r\n${'x'.repeat(900)}\r\n`.repeat(3)}`, 'invalid bulk length'],
    ['*1\r\n$1\r\nxyz', 'expected CRLF after an argument'],
    ['x'.repeat(4_097), 'too big inline request'],
  ];
  for (const [octets, message] of refused)
    for (const size of [1, 5_000])
      t.throws(() => parse(octets, (left) => Math.min(left, size)), new ProtocolError(message), octets.slice(0, 30));
});

t.test('a length that is only announced takes no memory', async (t) => {
  const parser = new RequestParser({ args: 1e9, argBytes: 1e9, frameBytes: 1e9 });
  parser.push(Buffer.from('*999999999\r\n$999999999\r\nabc'));
  t.equal(parser.next(), undefined);
  t.ok(parser.pendingBytes < 100);
});

t.test('after a broken frame there is an error, then nothing', async (t) => {
  const { port } = await serveResp(t);
  const socket = await rawClient(port);
  socket.write(`${frame('PING')}*1\r\n!${frame('FLUSHDB')}`);
  t.equal(await untilClosed(socket), "+PONG\r\n-ERR Protocol error: expected '$'\r\n");
});

t.test('a guest has little room and no commands', async (t) => {
  const { cache, port } = await serveResp(t, 'secret');
  cache.put('k', 'hidden');
  const socket = await rawClient(port);
  socket.write(`${frame('GET', 'k')}*11\r\n`);
  t.equal(
    await untilClosed(socket),
    '-NOAUTH Authentication required.\r\n-ERR Protocol error: invalid multibulk length\r\n',
  );
});

t.test('broken frames beside a good client', async (t) => {
  const { cache, port } = await serveResp(t);
  cache.put('kept', 'as it was');
  const good = new Redis(port, '127.0.0.1');
  const below = wholeNumbers(SEED);
  const words = ['GET', 'SET', 'MGET', 'SCAN', 'HELLO', 'kept2', '0', 'MATCH', '*', '-1', '\xff', 'x'.repeat(600)];
  const count = effort('FRAMES', 2_000, 50_000);
  for (let done = 0; done < count; ) {
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        done++;
        const socket = await rawClient(port);
        const args = Array.from({ length: 1 + below(4) }, () => words[below(words.length)]);
        const octets = Buffer.from(frame(...args), 'latin1');
        for (let i = below(4); i >= 0; i--) octets[below(octets.length)] = below(256);
        socket.end(octets.subarray(0, 1 + below(octets.length)));
        await untilClosed(socket);
      }),
    );
    if ((await good.get('kept')) !== 'as it was') t.fail('the good client reads something else');
  }
  t.equal(await good.ping(), 'PONG');
  good.disconnect();
});

t.test('five hundred slow clients, and one that does not read, beside a good one', async (t) => {
  const { cache, port } = await serveResp(t);
  cache.put('large', 'x'.repeat(50_000));
  const slow = await Promise.all(Array.from({ length: 500 }, () => rawClient(port)));
  for (const socket of slow) socket.write('*2\r\n$3\r\nGE');
  const deaf = await rawClient(port);
  deaf.pause();
  // Two hundred MB of replies.
  deaf.write(frame('GET', 'large').repeat(4_000));
  const good = new Redis(port, '127.0.0.1');
  for (let i = 0; i < 100; i++) {
    for (const socket of slow.slice(i * 5, i * 5 + 5)) socket.write('T');
    await good.set('k', i);
    t.equal(await good.get('k'), `${i}`);
  }
  t.ok(cache.getStats().hits < 2_000, 'commands whose replies nobody reads are not run');
  let received = 0;
  deaf.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received === 4_000 * (50_000 + 10)) deaf.end();
  });
  deaf.resume();
  await once(deaf, 'close');
  t.equal(received, 4_000 * (50_000 + 10), 'and are run when it reads');
  for (const socket of slow) socket.destroy();
  good.disconnect();
});

t.test('a server that closes sends the replies it owes, and runs nothing more', async (t) => {
  const cache = withCache<unknown>(t, { maxBytes: '16MB' });
  const server = await createServer({ cache, resp: '127.0.0.1:0' });
  cache.put('large', 'x'.repeat(1_000_000));
  const socket = await rawClient(Number(server.addresses.resp?.split(':').pop()));
  socket.pause();
  socket.write(frame('MGET', ...Array.from({ length: 16 }, () => 'large')) + frame('SET', 'late', '1'));
  while (cache.getStats().hits < 16) await new Promise((resolve) => setImmediate(resolve));
  const closed = server.close();
  socket.write(frame('SET', 'later', '1'));
  const received = await untilClosed(socket.resume());
  t.equal(received.length, '*16\r\n'.length + 16 * (1_000_000 + '$1000000\r\n\r\n'.length));
  await closed;
  t.notOk(cache.has('late') || cache.has('later'));
});

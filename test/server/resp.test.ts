/** The Redis protocol, spoken by the clients that people use. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createClient } from '@redis/client';
import { Redis } from 'ioredis';
import t from 'tap';
import { command, serverProgram } from '../../scripts/services/redis.js';
import { ALL_OCTETS, serveResp } from '../fixtures/resp.js';

t.test('@redis/client, by the protocols 2 and 3', async (t) => {
  for (const RESP of [2, 3] as const) {
    const { cache, port } = await serveResp(t);
    const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP });
    await client.connect();
    t.equal(await client.set('greeting', 'hello'), 'OK');
    t.equal(cache.get('greeting'), 'hello', 'a program reads a string');
    t.equal(await client.get('greeting'), 'hello');
    t.equal(await client.get('absent'), null);
    t.equal(await client.set('greeting', 'x', { condition: 'NX' }), null);
    t.equal(await client.set('absent', 'x', { condition: 'XX' }), null);
    t.notOk(cache.has('absent'));
    t.equal(await client.set('greeting', 'hi', { condition: 'XX', GET: true }), 'hello');
    t.equal(await client.mSet({ a: '1', b: 'zwei', ü: '日本' }), 'OK');
    t.strictSame(await client.mGet(['a', 'absent', 'ü']), ['1', null, '日本']);
    t.equal(await client.set('brief', 'x', { expiration: { type: 'EX', value: 50 } }), 'OK');
    t.equal(await client.ttl('brief'), 50);
    t.equal(await client.set('brief', 'y', { expiration: 'KEEPTTL' }), 'OK');
    t.ok((await client.pTTL('brief')) > 40_000);
    t.equal(await client.expire('a', 100), 1);
    t.equal(await client.incr('a'), 2);
    t.equal(await client.incrBy('a', 40), 42);
    t.equal(await client.decrBy('a', 2), 40);
    t.equal(cache.get('a'), 40, 'a program reads a number');
    t.equal(await client.ttl('a'), 100, 'which keeps its TTL');
    t.equal(await client.exists(['a', 'a', 'absent']), 2);
    t.equal(await client.ttl('absent'), -2);
    cache.put('forever', 1, { ttl: Number.POSITIVE_INFINITY });
    t.equal(await client.ttl('forever'), -1);
    t.equal(await client.pExpire('forever', 0), 1);
    t.notOk(cache.has('forever'));
    t.equal(await client.del(['a', 'b', 'absent']), 2);
    t.equal(await client.dbSize(), cache.size);
    t.equal(await client.echo('back'), 'back');
    t.match(await client.info(), /keyspace_hits:\d/);
    cache.put('object', { of: 'a program' });
    await t.rejects(client.get('object'), /^WRONGTYPE/);
    await t.rejects(client.incr('greeting'), /not an integer/);
    await t.rejects(client.sendCommand(['LPUSH', 'list', 'x']), /^ERR unknown command 'LPUSH'/);
    await t.rejects(client.sendCommand(['__proto__']), /^ERR unknown command/);
    await t.rejects(client.sendCommand(['GET']), /^ERR wrong number of arguments for 'get' command/);
    await t.rejects(client.sendCommand(['SELECT', '1']), /out of range/);
    await t.rejects(client.set('k'.repeat(70_000), 'x'), /key/);
    t.equal(await client.flushDb(), 'OK');
    t.equal(cache.size, 0);
    client.destroy();
  }
});

t.test('INCR of every number there is', async (t) => {
  const { cache, port } = await serveResp(t);
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: 3 });
  await client.connect();
  const most = Number.MAX_SAFE_INTEGER;
  for (const value of [7, 2 ** 50 - 1, 2 ** 50, most - 1, -most, '7', `${most - 1}`, `-${most}`]) {
    cache.put('n', value, { ttl: 50_000, tags: ['kept'] });
    // What the client makes of it is not looked at: it rounds the largest.
    await client.incr('n');
    t.equal(cache.get('n'), Number(value) + 1);
    t.strictSame(cache.entry('n')?.tags, ['kept'], `${value}: keeps its tags`);
    t.ok((cache.expiresIn('n') as number) <= 50_000, 'and its TTL');
  }
  cache.put('n', 5);
  t.equal(await client.incrBy('n', 2 ** 52), 2 ** 52 + 5);
  t.equal(await client.decrBy('new', 2 ** 52), -(2 ** 52));
  for (const value of [most, `${most}`, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 'one', 2 ** 60]) {
    cache.put('n', value);
    await t.rejects(client.incr('n'), /overflow|not an integer/);
    t.same(cache.get('n'), value, 'a refused one changes nothing');
  }
  cache.put('n', Buffer.from('41'), { tags: ['kept'] });
  t.equal(await client.incr('n'), 42, 'what came over HTTP, or not as UTF-8, is octets');
  t.strictSame(cache.entry('n')?.tags, ['kept']);
  for (const value of [Buffer.from('4\xff1', 'latin1'), Buffer.from('1'.repeat(30)), new Map()]) {
    cache.put('n', value);
    await t.rejects(client.incr('n'), value instanceof Map ? /^WRONGTYPE/ : /not an integer/);
  }
  client.destroy();
});

t.test('octets of any kind come back as they were', async (t) => {
  const { cache, port } = await serveResp(t);
  const client = new Redis(port, '127.0.0.1');
  const values = [
    ALL_OCTETS,
    Buffer.alloc(0),
    Buffer.from('\ufeffä€😀'),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from([0xc0, 0x80]),
    Buffer.alloc(40_000, 0xe9),
  ];
  for (const value of values) {
    await client.set('k', value);
    t.ok((await client.getBuffer('k'))?.equals(value));
  }
  t.type(cache.get('k'), Buffer, 'what is not UTF-8 is a Buffer');
  cache.put('array', new Uint16Array([1, 2]));
  t.strictSame(await client.getBuffer('array'), Buffer.from([1, 0, 2, 0]));
  await t.rejects(client.set(Buffer.from([255]), 'x'), /UTF-8/);
  client.disconnect();
});

t.test('ioredis: a pipeline, a scan, counters of many clients', async (t) => {
  const { cache, port } = await serveResp(t);
  const clients = Array.from({ length: 4 }, () => new Redis(port, '127.0.0.1'));
  const [client] = clients;
  const pipeline = client.pipeline();
  for (let i = 0; i < 500; i++) pipeline.set(`key:${i}`, i).get(`key:${i}`);
  const results = await pipeline.exec();
  t.strictSame(results?.at(-1), [null, '499']);
  const found = new Set<string>();
  for await (const keys of client.scanStream({ match: 'key:*[0-4]', count: 50 }))
    for (const key of keys) found.add(key);
  t.equal(found.size, 250);
  await t.rejects(client.scan('12345'), /invalid cursor/);
  for (const [type, count] of [
    ['string', 1],
    ['hash', 0],
  ] as const) {
    for (const options of [
      ['TYPE', type, 'MATCH', 'key:7'],
      ['MATCH', 'key:7', 'TYPE', type],
      ['TYPE', 'list', 'MATCH', 'key:8', 'MATCH', 'key:7', 'TYPE', type],
    ]) {
      const [, keys] = (await client.call('SCAN', '0', 'COUNT', '1000', ...options)) as [string, string[]];
      t.equal(keys.length, count, options.join(' '));
    }
  }
  await Promise.all(clients.flatMap((one) => Array.from({ length: 100 }, () => one.incr('hits'))));
  t.equal(cache.get('hits'), 400);
  for (const one of clients) one.disconnect();
});

t.test('keys of namespaces are none of this protocol', async (t) => {
  const { cache, port } = await serveResp(t);
  const client = new Redis(port, '127.0.0.1');
  const users = cache.namespace('users');
  cache.put('k', 'outside');
  users.put('k', 'inside');
  users.put('inner', 'inside');
  const [cursor, keys] = await client.scan(0, 'COUNT', 100);
  t.strictSame([cursor, keys], ['0', ['k']]);
  t.equal(await client.dbsize(), 3, 'where all are counted');
  t.equal(await client.get('k'), 'outside');
  t.equal(await client.get('inner'), null);
  t.equal(await client.del('k', 'inner'), 1);
  t.strictSame([...users.keys()].sort(), ['inner', 'k']);
  t.equal(await client.flushdb(), 'OK');
  t.equal(users.size, 0);
  client.disconnect();
});

t.test('the token', async (t) => {
  const { port } = await serveResp(t, 'the-secret');
  const known = createClient({ url: `redis://127.0.0.1:${port}`, password: 'the-secret', RESP: 3 });
  await known.connect();
  t.equal(await known.ping(), 'PONG');
  known.destroy();
  const unknown = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  await unknown.connect();
  await t.rejects(unknown.get('k'), /^NOAUTH/);
  await t.rejects(unknown.auth('the-secre'), /^WRONGPASS/);
  await t.rejects(unknown.call('HELLO', '3', 'AUTH', 'default', 'wrong'), /^WRONGPASS/);
  await t.rejects(unknown.call('HELLO', '3'), /^NOAUTH/);
  t.equal(await unknown.auth('the-secret'), 'OK');
  t.equal(await unknown.get('k'), null);
  unknown.disconnect();
});

const program = serverProgram();
if (program === undefined) t.pass('no redis-cli and redis-benchmark can be had');
else {
  t.test('redis-cli and redis-benchmark', async (t) => {
    const { port } = await serveResp(t);
    t.equal(await command(program, port, 'set', 'k', 'v'), 'OK\n');
    t.equal(await command(program, port, 'get', 'k'), 'v\n');
    t.equal(await command(program, port, '-3', 'ttl', 'k'), '3600\n');
    const benchmark = program.path.replace(/-server$/, '-benchmark');
    const args = ['-p', `${port}`, '-t', 'ping,set,get,incr,mset', '-n', '2000', '-P', '16', '-c', '8', '--csv'];
    const { stdout } = await promisify(execFile)(benchmark, args, { env: program.env, timeout: 60_000 });
    t.match(stdout, /"GET","[\d.]+"/);
    t.match(stdout, /"MSET[^\n]*,"[\d.]+"/);
  });
}

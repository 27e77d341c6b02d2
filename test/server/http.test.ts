/** HTTP over a cache: keys, values, conditions, namespaces, tags, and what is refused. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { serving } from '../fixtures/serving.js';

/** The code of an answer's error. */
const codeOf = ({ text }: { text: string }): string => JSON.parse(text).error.code;

t.test('octets are stored and answered as they are', async (t) => {
  const { ask, cache } = await serving(t);
  const octets = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const created = await ask('PUT', '/v1/keys/a', { body: octets });
  t.equal(created.status, 201);
  t.equal(created.headers['content-length'], '0');
  t.match(created.headers.etag, /^"\d+"$/);
  t.strictSame(cache.get('a'), octets, 'a program gets them as a Buffer');
  const got = await ask('GET', '/v1/keys/a');
  t.equal(got.status, 200);
  t.strictSame(got.body, octets);
  t.equal(got.headers['content-type'], 'application/octet-stream');
  t.equal(got.headers['content-length'], '256');
  t.equal(got.headers.etag, created.headers.etag);
  const replaced = await ask('PUT', '/v1/keys/a', { body: '' });
  t.equal(replaced.status, 204);
  t.not(replaced.headers.etag, created.headers.etag);
  t.equal((await ask('GET', '/v1/keys/a')).headers['content-length'], '0');
  t.equal((await ask('DELETE', '/v1/keys/a')).status, 204);
  for (const method of ['GET', 'HEAD', 'DELETE']) t.equal((await ask(method, '/v1/keys/a')).status, 404, method);
});

t.test('HEAD has the headers of GET, and is no access', async (t) => {
  const { ask, cache } = await serving(t);
  cache.put('k', 'text', { tags: ['a', 'b,c', 'ü'] });
  const { headers: got } = await ask('GET', '/v1/keys/k');
  const { hits } = cache.getStats();
  const head = await ask('HEAD', '/v1/keys/k');
  t.strictSame({ ...head.headers, date: '' }, { ...got, date: '' });
  t.equal(head.body.length, 0);
  t.equal(cache.getStats().hits, hits);
  await ask('GET', '/v1/keys/k');
  t.equal(cache.getStats().hits, hits + 1);
  await ask('GET', '/v1/keys/none');
  t.equal(cache.getStats().misses, 1);
});

t.test('what programs store', async (t) => {
  const { ask, cache } = await serving(t);
  const text = 'text/plain; charset=utf-8';
  const json = 'application/json';
  const binary = 'application/octet-stream';
  for (const [value, type, body] of [
    ['grüße', text, 'grüße'],
    ['', text, ''],
    ['\ud800', text, '\ufffd'],
    [{ a: [1, null, 'x', { at: new Date(0) }] }, json, '{"a":[1,null,"x",{"at":"1970-01-01T00:00:00.000Z"}]}'],
    [12.5, json, '12.5'],
    [false, json, 'false'],
    [null, json, 'null'],
    [new Uint16Array([0x6161, 0x6262]), binary, 'aabb'],
    [new Uint8Array([99, 100]).buffer, binary, 'cd'],
  ] as const) {
    cache.put('v', value);
    const answer = await ask('GET', '/v1/keys/v');
    t.strictSame([answer.status, answer.headers['content-type'], answer.text], [200, type, body]);
  }
  const cycle: { self?: object } = {};
  cycle.self = cycle;
  for (const value of [10n, Number.NaN, new Map(), { deep: [new Set()] }, [1n], cycle, /x/]) {
    cache.put('v', value);
    const answer = await ask('GET', '/v1/keys/v');
    t.equal(answer.status, 406);
    t.equal(codeOf(answer), 'ERR_NOT_ACCEPTABLE');
  }
});

t.test('keys are all that follows, percent-decoded once', async (t) => {
  const { ask, cache } = await serving(t);
  for (const [path, key] of [
    ['', ''],
    ['a/b//c', 'a/b//c'],
    ['../../etc/passwd', '../../etc/passwd'],
    ['%2e%2e%2F', '../'],
    ['%2541', '%41'],
    ['a%20b+c', 'a b+c'],
    ['%E2%82%AC', '€'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['%00', '\0'],
    ['%3Fx', '?x'],
    ['x'.repeat(64 * 1024), 'x'.repeat(64 * 1024)],
    ['%E2%82%AC'.repeat(21_845), '€'.repeat(21_845)],
  ]) {
    t.equal((await ask('PUT', `/v1/keys/${path}`, { body: key.slice(0, 50) })).status, 201, key.slice(0, 20));
    t.ok(cache.has(key));
    t.equal((await ask('GET', `/v1/keys/${path}`)).text, key.slice(0, 50));
  }
  for (const path of ['%', '%zz', '%FF', '%C0%80', '%ED%A0%80']) {
    const answer = await ask('PUT', `/v1/keys/${path}`, { body: 'x' });
    t.equal(answer.status, 400, path);
    t.equal(codeOf(answer), 'ERR_BAD_REQUEST');
  }
  const tooLong = await ask('GET', `/v1/keys/${'x'.repeat(64 * 1024 + 1)}`);
  t.equal(tooLong.status, 400);
  t.equal(codeOf(tooLong), 'ERR_INVALID_KEY');
  t.equal((await ask('GET', `/v1/keys/${'x'.repeat(300 * 1024)}`)).status, 431);
  t.equal((await ask('GET', '/v1/keys')).status, 404);
});

t.test('ttl', async (t) => {
  let now = 0;
  const { ask, cache } = await serving(t, { now: () => now, ttl: 1_000 });
  for (const [query, expiresIn] of [
    ['', 1_000],
    ['?ttl=500', 500],
    ['?ttl=5m', 300_000],
    ['?ttl=1.5s', 1_500],
    ['?ttl=Infinity', Number.POSITIVE_INFINITY],
  ] as const) {
    await ask('PUT', `/v1/keys/k${query}`, { body: 'x' });
    t.equal(cache.expiresIn('k'), expiresIn, query);
  }
  await ask('PUT', '/v1/keys/k?ttl=500', { body: 'x' });
  now = 501;
  t.equal((await ask('GET', '/v1/keys/k')).status, 404);
  for (const conditions of [{}, { 'if-none-match': '"0"' }]) {
    await ask('PUT', '/v1/keys/k', { body: 'x' });
    t.equal((await ask('PUT', '/v1/keys/k?ttl=0', { body: 'x', headers: conditions })).status, 204);
    t.notOk(cache.has('k'));
  }
  for (const query of ['ttl=-1', 'ttl=', 'ttl=soon', 'ttl=NaN', 'ttl=1&ttl=2', 'tll=5', '__proto__=1']) {
    const answer = await ask('PUT', `/v1/keys/k?${query}`, { body: 'x' });
    t.equal(answer.status, 400, query);
    t.notOk(cache.has('k'), 'nothing is stored');
  }
});

t.test('conditions of reads', async (t) => {
  const { ask, cache } = await serving(t);
  cache.put('k', 'x');
  const version = cache.entry('k')?.version;
  const tag = `"${version}"`;
  const other = `"${Number(version) + 1}"`;
  for (const [headers, status] of [
    [{ 'if-none-match': tag }, 304],
    [{ 'if-none-match': `W/${tag}` }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': `${other}, ${tag}` }, 304],
    [{ 'if-none-match': `, ,${tag} ,` }, 304],
    [{ 'if-none-match': '"a,b", "*"' }, 200],
    [{ 'if-none-match': other }, 200],
    [{ 'if-match': tag }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': `${other},${tag}` }, 200],
    [{ 'if-match': `W/${tag}` }, 412],
    [{ 'if-match': other }, 412],
    [{ 'if-match': '' }, 412],
    [{ 'if-match': tag, 'if-none-match': tag }, 304],
    [{ 'if-match': other, 'if-none-match': tag }, 412],
    [{ 'if-none-match': String(version) }, 400],
    [{ 'if-match': '*, "1"' }, 400],
    [{ 'if-match': '"1" "2"' }, 400],
    [{ 'if-match': '"open' }, 400],
  ] as const) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(method, '/v1/keys/k', { headers });
      t.equal(answer.status, status, `${method} ${JSON.stringify(headers)}`);
      if (status !== 304) continue;
      t.equal(answer.headers.etag, tag);
      t.equal(answer.body.length, 0);
    }
  }
  for (const headers of [{ 'if-match': '*' }, { 'if-none-match': '*' }])
    t.equal((await ask('GET', '/v1/keys/none', { headers })).status, 404, 'no condition changes that');
});

t.test('conditions of writes', async (t) => {
  const { ask, cache } = await serving(t);
  const put = async (headers: Record<string, string>, body = 'new'): Promise<number> =>
    (await ask('PUT', '/v1/keys/k', { headers, body })).status;
  const tag = (): string => `"${cache.entry('k')?.version}"`;
  t.equal(await put({ 'if-match': '*' }), 412);
  t.equal(await put({ 'if-match': '"1"' }), 412);
  t.notOk(cache.has('k'));
  t.equal(await put({ 'if-none-match': '*' }), 201);
  t.equal(await put({ 'if-none-match': '*' }, 'again'), 412);
  t.equal(await put({ 'if-none-match': tag() }, 'again'), 412);
  t.equal(await put({ 'if-match': '"0"' }, 'again'), 412);
  t.equal(await put({ 'if-match': `W/${tag()}` }, 'again'), 412);
  t.equal(String(cache.get('k')), 'new', 'what was refused changed nothing');
  const old = tag();
  t.equal(await put({ 'if-match': old }, 'v2'), 204);
  t.equal(await put({ 'if-match': old }, 'v3'), 412);
  t.equal(await put({ 'if-match': `"0", ${tag()}` }, 'v3'), 204);
  t.equal(await put({ 'if-match': '*', 'if-none-match': old }, 'v4'), 204);
  t.equal(String(cache.get('k')), 'v4');
  const remove = async (headers: Record<string, string>): Promise<number> =>
    (await ask('DELETE', '/v1/keys/k', { headers })).status;
  t.equal(await remove({ 'if-match': old }), 412);
  t.equal(await remove({ 'if-none-match': '*' }), 412);
  t.equal(await remove({ 'if-none-match': tag() }), 412);
  t.ok(cache.has('k'));
  t.equal(await remove({ 'if-match': tag() }), 204);
  t.notOk(cache.has('k'));
  t.equal(await remove({ 'if-match': old }), 404);
  t.equal(await remove({ 'if-none-match': '*' }), 404);
});

t.test('a conditional write is one step: another thread is never overwritten unseen', async (t) => {
  const { ask, cache } = await serving(t);
  cache.put('n', Buffer.from('0'));
  const goOn = new Int32Array(new SharedArrayBuffer(4)).fill(1);
  const script = `const { workerData: { handle, goOn }, parentPort } = require('node:worker_threads');
    import('mooncake-cache').then(({ SharedCache }) => {
      const cache = SharedCache.attach(handle);
      let added = 0;
      for (; Atomics.wait(goOn, 0, 1, 0.2) === 'timed-out'; added++)
        cache.update('n', (octets) => Buffer.from(String(Number(octets) + 1)));
      cache.close();
      parentPort.postMessage(added);
    });`;
  const worker = new Worker(script, { eval: true, workerData: { handle: cache.handle, goOn }, execArgv: [] });
  const count = { 204: 0, 412: 0 };
  // On until it met the other thread often enough, and got through often enough.
  for (let i = 0; i < 20_000 && (count[204] < 200 || count[412] < 20); i++) {
    const { headers, text } = await ask('GET', '/v1/keys/n');
    const { status } = await ask('PUT', '/v1/keys/n', {
      headers: { 'if-match': headers.etag },
      body: String(Number(text) + 1),
    });
    count[status as 204 | 412]++;
  }
  const ended = once(worker, 'message');
  Atomics.store(goOn, 0, 0);
  Atomics.notify(goOn, 0);
  const [addedThere] = await ended;
  t.comment(`${addedThere} writes by the thread, ${count[204]} over HTTP, ${count[412]} refused`);
  t.ok(count[412] > 0, 'they met');
  t.equal(Number(cache.get('n')), addedThere + count[204]);
});

t.test('whenever another write comes between, a conditional write sees it', async (t) => {
  let ticks = 0;
  let interfere: (() => void) | undefined;
  // The cache asks for the time between its steps, so a clock can write at any of them.
  const now = (): number => {
    if (--ticks === 0) interfere?.();
    return 0;
  };
  const { ask, cache } = await serving(t, { now });
  const other = SharedCache.attach<unknown>(cache.handle);
  t.teardown(() => other.close());
  const seen = new Set<number>();
  for (const [method, missing] of [
    ['PUT', false],
    ['PUT', true],
    ['DELETE', false],
  ] as const) {
    for (let step = 1; step <= 12; step++) {
      cache.delete('k');
      if (!missing) cache.put('k', 'before');
      const etag = `"${cache.entry('k')?.version}"`;
      let hasWritten = false;
      interfere = () => {
        interfere = undefined;
        // Where the step is one under the lock, which no other thread can come to, this one takes its own lock for abandoned.
        const { recoveries } = other.getStats();
        hasWritten = other.put('k', 'between') && other.getStats().recoveries === recoveries;
      };
      ticks = step;
      const headers = missing ? { 'if-none-match': '*' } : { 'if-match': etag };
      const { status } = await ask(method, '/v1/keys/k', { headers, ...(method === 'PUT' ? { body: 'after' } : {}) });
      interfere = undefined;
      seen.add(status);
      if (hasWritten) t.equal(cache.get('k'), 'between', `${method} ${status}, at step ${step}`);
    }
  }
  t.ok(seen.has(412) && seen.has(204), 'before and after');
});

t.test('of many that create one key, one does', async (t) => {
  const { ask } = await serving(t);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => ask('PUT', '/v1/keys/k', { headers: { 'if-none-match': '*' }, body: `${i}` })),
  );
  t.equal(answers.filter(({ status }) => status === 201).length, 1);
  t.equal(answers.filter(({ status }) => status === 412).length, 49);
});

t.test('namespaces, by header and by parameter', async (t) => {
  const { ask, cache } = await serving(t);
  const deep = cache.namespace('a').namespace('b, c');
  const headers = { 'x-cache-namespace': 'a, b%2C%20c' };
  t.equal((await ask('PUT', '/v1/keys/k', { headers, body: 'deep' })).status, 201);
  t.equal(String(deep.get('k')), 'deep');
  t.equal((await ask('GET', '/v1/keys/k?namespace=a&namespace=b,%20c')).text, 'deep');
  t.equal((await ask('GET', '/v1/keys/k?namespace=a')).status, 404);
  t.equal((await ask('GET', '/v1/keys/k')).status, 404);
  t.equal((await ask('DELETE', '/v1/keys/k', { headers })).status, 204);
  for (const [path, given] of [
    ['/v1/keys/k?namespace=a', { 'x-cache-namespace': 'a' }],
    ['/v1/keys/k', { 'x-cache-namespace': '' }],
    ['/v1/keys/k', { 'x-cache-namespace': '%' }],
    [`/v1/keys/k?${'namespace=a&'.repeat(40)}`, {}],
    [`/v1/keys/k?namespace=${'n'.repeat(50_000)}`, {}],
  ] as const)
    t.equal((await ask('PUT', path, { headers: given, body: 'x' })).status, 400, path.slice(0, 40));
});

t.test('tags, and their invalidation', async (t) => {
  const { ask, cache } = await serving(t);
  const put = async (key: string, tags: string): Promise<number> =>
    (await ask('PUT', `/v1/keys/${key}`, { headers: { 'x-cache-tags': tags }, body: 'x' })).status;
  const json = { 'content-type': 'application/json' };
  await put('a', 'user:1, team%2C9');
  await put('b', 'user:2,');
  t.strictSame(cache.entry('a')?.tags, ['user:1', 'team,9']);
  t.equal((await ask('GET', '/v1/keys/a')).headers['x-cache-tags'], 'user%3A1, team%2C9');
  t.equal((await ask('POST', '/v1/invalidate', { headers: json, body: '{"tags":["user:1","none"]}' })).status, 204);
  t.strictSame(cache.hasMany(['a', 'b']), [false, true]);
  const inside = { ...json, 'x-cache-namespace': 'other' };
  t.equal((await ask('POST', '/v1/invalidate', { headers: inside, body: '{"tags":"user:2"}' })).status, 204);
  t.ok(cache.has('b'), "a namespace's tags are its own");
  t.equal((await ask('POST', '/v1/invalidate', { headers: json, body: '{"tags":"user:2"}' })).status, 204);
  t.notOk(cache.has('b'));
  t.equal(await put('c', Array.from({ length: 17 }, (_, i) => i).join()), 400);
  t.equal(await put('c', 'x'.repeat(257)), 400);
  t.notOk(cache.has('c'));
  for (const body of ['', '{', 'null', '[]', '{}', '{"tags":1}', '{"tags":["a"],"x":1}', '{"__proto__":[]}'])
    t.equal((await ask('POST', '/v1/invalidate', { headers: json, body })).status, 400, body);
  t.equal((await ask('POST', '/v1/invalidate', { body: '{"tags":["a"]}' })).status, 415);
  t.equal((await ask('POST', '/v1/invalidate', { headers: json, body: ' '.repeat(300_000) })).status, 413);
});

t.test('what is too large is refused as soon as that is known, and changes nothing', async (t) => {
  const { ask, cache, port } = await serving(t, { maxBytes: '1MB' });
  const { maxEntryBytes } = cache;
  t.equal((await ask('PUT', '/v1/keys/k', { body: Buffer.alloc(maxEntryBytes - 1, 1) })).status, 201);
  const version = cache.entry('k')?.version;
  const { rejections } = cache.getStats();
  for (const asked of [
    { body: Buffer.alloc(maxEntryBytes) },
    { body: Buffer.alloc(40 * maxEntryBytes) },
    { body: Buffer.alloc(2 * maxEntryBytes), headers: { 'transfer-encoding': 'chunked' } },
    { body: Buffer.alloc(maxEntryBytes), headers: { 'if-match': '*' } },
  ]) {
    const answer = await ask('PUT', '/v1/keys/k', asked);
    t.equal(answer.status, 413);
    t.equal(codeOf(answer), 'ERR_TOO_LARGE');
  }
  t.equal(cache.entry('k')?.version, version);
  t.equal(cache.getStats().rejections, rejections, 'none of it reached the cache');
  // Who asks first whether to send it need not send it at all.
  const sent = request({ port, host: '127.0.0.1', method: 'PUT', path: '/v1/keys/k' });
  sent.setHeader('expect', '100-continue').setHeader('content-length', maxEntryBytes);
  let mayGoOn = false;
  sent.once('continue', () => {
    mayGoOn = true;
  });
  sent.flushHeaders();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  t.strictSame([response.statusCode, mayGoOn], [413, false]);
  sent.on('error', () => {}).destroy();
  const inside = { 'x-cache-namespace': 'four' };
  for (const [length, status] of [
    [maxEntryBytes >> 1, 201],
    [maxEntryBytes - 6, 413],
  ])
    t.equal((await ask('PUT', '/v1/keys/k', { headers: inside, body: Buffer.alloc(length) })).status, status);
});

t.test('other requests that make no sense', async (t) => {
  const { ask, cache } = await serving(t);
  for (const [method, path, allow] of [
    ['POST', '/v1/keys/k', 'GET, HEAD, PUT, DELETE'],
    ['OPTIONS', '/v1/keys/k', 'GET, HEAD, PUT, DELETE'],
    ['GET', '/v1/invalidate', 'POST'],
    ['PUT', '/stats', 'GET, HEAD'],
    ['DELETE', '/healthz', 'GET, HEAD'],
  ]) {
    const answer = await ask(method, path, { body: 'x' });
    t.equal(answer.status, 405);
    t.equal(answer.headers.allow, allow);
  }
  for (const [headers, status] of [
    [{ 'content-encoding': 'gzip' }, 415],
    [{ 'content-encoding': 'Identity' }, 201],
    [{ 'content-range': 'bytes 0-0/2' }, 400],
    [{ expect: 'the-impossible' }, 417],
  ] as const)
    t.equal((await ask('PUT', '/v1/keys/k', { headers, body: 'x' })).status, status);
  for (const path of ['/nothing', '/v1', '/v1/', '//v1/keys/k', '/stats/', '/STATS', '/__proto__'])
    t.equal((await ask('GET', path)).status, 404, path);
  t.equal((await ask('GET', '/stats?x')).status, 400);
  cache.put('abs', 'x');
  t.equal((await ask('GET', 'http://localhost:1/v1/keys/abs')).status, 200, 'the form that proxies send');
  const ranged = await ask('GET', '/v1/keys/abs', { headers: { range: 'bytes=0-0' } });
  t.equal(ranged.status, 200, 'ranges are not promised');
  for (const answer of [ranged, await ask('GET', '/nothing'), await ask('GET', '/stats')]) {
    t.equal(answer.headers['x-content-type-options'], 'nosniff');
    t.equal(answer.headers['cache-control'], 'no-store');
    t.match(answer.headers['content-security-policy'], "default-src 'none'");
  }
});

t.test('stats, metrics and health', async (t) => {
  for (const monitor of [false, { sample: 1 }]) {
    const { ask, cache } = await serving(t, { monitor });
    cache.put('k', 'x');
    cache.get('k');
    cache.delete('k');
    const stats = await ask('GET', '/stats');
    t.equal(stats.headers['content-type'], 'application/json');
    t.match(JSON.parse(stats.text), { hits: 1, puts: 1, left: { deleted: 1 }, maxBytes: 4 * 2 ** 20 });
    t.equal(JSON.parse(stats.text).operations?.['get.hit'].count, monitor ? 1 : undefined);
    const metrics = await ask('GET', '/metrics');
    t.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
    t.match(metrics.text, /^mooncake_cache_hits_total 1$/m);
    t.match(metrics.text, /^mooncake_cache_left_total\{cause="deleted"\} 1$/m);
    t.match(metrics.text, /^mooncake_cache_puts_total 1$/m);
    t.match(metrics.text, /^mooncake_cache_threads [12]$/m);
    t.equal(/^mooncake_operations_total\{operation="put"\} 1$/m.test(metrics.text), monitor !== false);
    t.strictSame(JSON.parse((await ask('GET', '/healthz')).text), { status: 'ok' });
    cache.put('k', 'x');
    cache.close();
    for (const path of ['/healthz', '/stats', '/metrics', '/v1/keys/k']) {
      const answer = await ask('GET', path);
      t.equal(answer.status, 503, path);
      t.equal(codeOf(answer), 'ERR_CLOSED');
    }
  }
});

/** The memory that clients take together has a bound, and who reads, however slowly, is not the one to pay for it. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import { Budget, STALE_MS } from '../../src/server/resp/budget.js';
import { Connection } from '../../src/server/resp/connection.js';
import { Outbox } from '../../src/server/resp/outbox.js';
import { Scans } from '../../src/server/resp/scans.js';
import { rawClient } from '../fixtures/resp.js';
import { withCache } from '../fixtures/with-cache.js';

const MB = 2 ** 20;
const HALF = `*2\r\n$3\r\nGET\r\n$${2 * MB}\r\n${'y'.repeat(MB)}`;

t.test('who does not get on is ended first, then who asks for more; never who holds little', (t) => {
  const ended: string[] = [];
  let now = 0;
  const budget = new Budget(100, 10, () => now);
  const client = (name: string) => ({ destroy: () => ended.push(name) });
  const [little, first, second, third, fourth] = ['little', 'first', 'second', 'third', 'fourth'].map(client);
  budget.hold(little, 9, false);
  budget.hold(first, 40, true);
  budget.hold(second, 40, true);
  budget.hold(third, 12, true);
  t.strictSame(ended, ['third'], 'nobody is known to be broken');
  now = STALE_MS - 1;
  budget.hold(first, 40, true);
  now = STALE_MS;
  budget.hold(third, 20, true);
  t.strictSame(ended, ['third', 'second'], 'the first has got on since');
  budget.hold(first, 45, false);
  now = 2 * STALE_MS - 1;
  budget.hold(fourth, 30, true);
  t.strictSame(ended, ['third', 'second', 'first'], 'to take more is not to get on');
  budget.hold(third, 61, true);
  t.strictSame(ended, ['third', 'second', 'first'], 'all there is room for');
  budget.hold(third, 62, true);
  t.strictSame(ended, ['third', 'second', 'first', 'third']);
  budget.hold(second, 61, true);
  const tiny = client('tiny');
  budget.hold(tiny, 1, true);
  t.equal(ended.length, 4, 'a little more is nothing to end a client for');
  for (const holder of [little, second, fourth, tiny]) budget.hold(holder, 0, false);
  for (let i = 0; i < 100; i++) {
    budget.hold(second, 100, true);
    budget.hold(second, 0, true);
  }
  t.equal(ended.length, 4, 'what was given back is free');
  t.end();
});

t.test('a client that reads a long reply slowly, beside many that never finish their command', async (t) => {
  const cache = withCache<string>(t, { maxBytes: '16MB' });
  const large = 'x'.repeat(MB - 1_000);
  cache.put('k', large);
  const served = { cache, token: undefined, scans: new Scans(), maxReplyBytes: 64 * MB };
  const limits = { args: 100, argBytes: 64 * MB, frameBytes: 64 * MB };
  let now = 0;
  const budget = new Budget(24 * MB, 100, () => now);
  let lastId = 0;
  let left = 0;
  const server = createServer((socket) => {
    new Connection(socket, ++lastId, served, limits, budget, new Outbox());
    socket.once('close', () => {
      left++;
      server.emit('settled');
    });
    socket.on('data', () => {
      if (socket.bytesRead === HALF.length) server.emit('settled');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;

  /** A client that sends half of a command, until the server has read it, or ended the client for it. */
  const unfinished = async (): Promise<void> => {
    const socket = await rawClient(port);
    t.teardown(() => socket.destroy());
    const settled = once(server, 'settled');
    socket.write(HALF);
    await settled;
  };
  for (let i = 0; i < 23; i++) await unfinished();
  now += STALE_MS;

  const good = await rawClient(port);
  good.pause();
  const expected = `*16\r\n${`$${large.length}\r\n${large}\r\n`.repeat(16)}`.length;
  let received = 0;
  let [arrived, gone] = [(): void => {}, false];
  good.on('data', (chunk: Buffer) => {
    received += chunk.length;
    good.pause();
    arrived();
  });
  good.once('close', () => {
    gone = true;
    arrived();
  });
  good.write(`*17\r\n$4\r\nMGET\r\n${'$1\r\nk\r\n'.repeat(16)}`);
  // Some 256 pieces, which take longer than anybody may stand still; and again and again one more that does not get on.
  for (let reads = 0; received < expected && !gone; reads++) {
    now += STALE_MS / 150;
    if (reads % 4 === 0) await unfinished();
    const more = new Promise<void>((resolve) => (arrived = resolve));
    good.resume();
    await more;
  }
  t.equal(received, expected, 'it has all of its reply');
  t.ok(left > 16, 'others had to leave');
  good.destroy();
});

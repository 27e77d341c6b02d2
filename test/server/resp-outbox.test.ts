/** Replies to what came in one turn of the event loop are sent together, at its end, and none is lost by waiting. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { Budget, type Holder } from '../../src/server/resp/budget.js';
import { Connection } from '../../src/server/resp/connection.js';
import { Outbox } from '../../src/server/resp/outbox.js';
import { Scans } from '../../src/server/resp/scans.js';
import { rawClient, untilClosed } from '../fixtures/resp.js';
import { withCache } from '../fixtures/with-cache.js';

const MB = 2 ** 20;
const PING = '*1\r\n$4\r\nPING\r\n';

/** Tells what was held last. */
class WatchedBudget extends Budget {
  held = 0;
  override hold(holder: Holder, bytes: number, gotOn: boolean): void {
    this.held = bytes;
    super.hold(holder, bytes, gotOn);
  }
}

/** A connection, the server's end of it, which the test has read what it likes, what was written there, and the client. */
async function connected(test: Pick<typeof t, 'teardown' | 'same'>) {
  const cache = withCache<unknown>(test, { maxBytes: '16MB' });
  const served = { cache, token: undefined, scans: new Scans(), maxReplyBytes: MB };
  const limits = { args: 100, argBytes: MB, frameBytes: MB };
  const budget = new WatchedBudget(16 * MB, 100);
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.teardown(() => server.close());
  const incoming = once(server, 'connection');
  const client = await rawClient((server.address() as AddressInfo).port);
  test.teardown(() => client.destroy());
  const [socket] = (await incoming) as [Socket];
  const connection = new Connection(socket, 1, served, limits, budget, new Outbox());
  const written: string[] = [];
  const write = socket.write.bind(socket) as (piece: string, encoding: BufferEncoding) => boolean;
  socket.write = (piece: string | Uint8Array, encoding: unknown) => {
    written.push(String(piece));
    return write(String(piece), encoding as BufferEncoding);
  };
  const read = (text: string): boolean => socket.emit('data', Buffer.from(text));
  return { client, connection, socket, written, read, budget };
}

t.test('they are sent in order at the end of the turn, or as soon as many wait', async (t) => {
  const outbox = new Outbox();
  const sent: string[] = [];
  const add = (name: string, bytes: number): void => {
    outbox.add({ flush: () => sent.push(name) });
    outbox.grow(bytes);
  };
  add('a', 10);
  add('b', 10);
  t.strictSame(sent, []);
  await nextTurn();
  t.strictSame(sent, ['a', 'b']);
  add('c', MB - 10);
  t.equal(sent.length, 2, 'what was sent counts no more');
  add('d', 100);
  t.strictSame(sent, ['a', 'b', 'c', 'd']);
  add('e', 10);
  await nextTurn();
  t.strictSame(sent, ['a', 'b', 'c', 'd', 'e']);
});

t.test('what comes in several pieces is answered in one', async (t) => {
  const { read, written } = await connected(t);
  read(PING.repeat(2));
  read(PING);
  t.strictSame(written, []);
  await nextTurn();
  t.strictSame(written, ['+PONG\r\n'.repeat(3)]);
});

t.test('a broken frame is answered after what waits, and once', async (t) => {
  const { client, read } = await connected(t);
  const received = untilClosed(client);
  read(PING);
  read('*1\r\n!\r\n');
  t.equal(await received, "+PONG\r\n-ERR Protocol error: expected '$'\r\n");
});

t.test('a client that has sent its last gets what waits before its connection is ended', async (t) => {
  const { read, socket, written } = await connected(t);
  read(PING);
  socket.emit('end');
  t.strictSame(written, ['+PONG\r\n']);
});

t.test('a server that ends sends what waits', async (t) => {
  const { client, connection, read, socket } = await connected(t);
  const received = untilClosed(client);
  read(PING);
  connection.end();
  t.notOk(socket.writableEnded);
  await nextTurn();
  if (!socket.writableEnded) socket.destroy(new Error('the connection goes on'));
  t.equal(await received, '+PONG\r\n');
});

t.test('a client that is gone before its replies were sent takes no memory', async (t) => {
  const { budget, read, socket, written } = await connected(t);
  const outcome = once(socket, 'close');
  read(`${PING}*1`);
  socket.destroy();
  await outcome;
  await nextTurn();
  t.strictSame(written, []);
  t.equal(budget.held, 0);
});

/**
 * Three machines that share a cache through a Redis or Valkey server, here as three processes: one loads a value for all, a
 * write of one is seen by the others, and a read of what is near takes no trip.
 *
 *   node dist/examples/fleet.js        starts redis-server or valkey-server, whichever is on the PATH
 *   REDIS_URL=redis://… node dist/examples/fleet.js
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SharedCache } from 'mooncake-cache';
import { TieredCache } from 'mooncake-cache/tier';

const MEMBERS = 3;
const NEAR_READS = 100_000;
const PREFIX = 'mooncake-example:';

interface Price {
  readonly product: string;
  readonly cents: number;
}

type Order = 'load' | 'change' | 'read until changed';

/** What each machine does, when it is told to. */
async function member(url: string): Promise<void> {
  const local = new SharedCache<Price>({ maxBytes: '8MB' });
  const prices = await TieredCache.open<Price>({ local, remote: { url }, prefix: PREFIX, ttl: '10m' });
  const obey = async (order: Order): Promise<unknown> => {
    if (order === 'change') return prices.put('price:1', { product: 'moon cake', cents: 420 });
    let loads = 0;
    const loadPrice = async (): Promise<Price> => {
      loads++;
      await delay(100);
      return { product: 'moon cake', cents: 399 };
    };
    if (order === 'load') {
      await prices.getOrSet('price:1', loadPrice);
      return loads;
    }
    while ((await prices.get('price:1'))?.cents !== 420);
    const start = performance.now();
    for (let i = 0; i < NEAR_READS; i++) assert.equal((await prices.get('price:1'))?.cents, 420);
    return (1e3 * (performance.now() - start)) / NEAR_READS;
  };
  process.on('message', (order: Order) => void obey(order).then((answer) => process.send?.({ answer })));
  process.once('disconnect', async () => {
    await prices.close();
    local.close();
  });
  // It works without the server too, but then for this machine only.
  while (prices.status !== 'up') await new Promise((resolve) => prices.onStatus(resolve));
  process.send?.({ answer: prices.status });
}

async function main(url: string): Promise<void> {
  const members = Array.from({ length: MEMBERS }, () => fork(fileURLToPath(import.meta.url), ['--member', url]));
  const answers = (): Promise<unknown[]> =>
    Promise.all(members.map(async (child) => ((await once(child, 'message')) as [{ answer: unknown }])[0].answer));
  const tellAll = (order: Order): Promise<unknown[]> => {
    const told = answers();
    for (const child of members) child.send(order);
    return told;
  };
  assert.deepEqual(await answers(), ['up', 'up', 'up']);
  const loads = (await tellAll('load')) as number[];
  const total = loads.reduce((sum, count) => sum + count, 0);
  assert.equal(total, 1);
  console.log(`${MEMBERS} members asked for a price at the same time: it was loaded ${total} time`);
  const seen = Promise.all(members.slice(1).map((child) => once(child, 'message')));
  for (const child of members.slice(1)) child.send('read until changed' satisfies Order);
  members[0].send('change' satisfies Order);
  const micros = (await seen).map(([{ answer }]) => answer as number);
  console.log('one changed it: the others saw the new one');
  console.log(`a read of what is near took them ${micros.map((us) => us.toFixed(1)).join(' and ')} microseconds`);
  await Promise.all(
    members.map(async (child) => {
      child.disconnect();
      await once(child, 'exit');
    }),
  );
}

/** The first of these programs that can be started, on a free port; undefined where there is none. */
async function startServer(): Promise<{ url: string; server: ChildProcess } | undefined> {
  for (const program of ['valkey-server', 'redis-server']) {
    const port = await freePort();
    const server = spawn(program, ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
      stdio: 'ignore',
    });
    const isThere = await once(server, 'spawn').then(
      () => true,
      () => false,
    );
    if (!isThere) continue;
    while (!(await answersAt(port))) await delay(20);
    return { url: `redis://127.0.0.1:${port}`, server };
  }
  return undefined;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

async function answersAt(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isThere = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isThere;
}

if (process.argv[2] === '--member') {
  await member(process.argv[3]);
} else if (process.env.REDIS_URL !== undefined) {
  await main(process.env.REDIS_URL);
} else {
  const started = await startServer();
  if (started === undefined) console.log('this example needs redis-server or valkey-server, or REDIS_URL');
  else {
    try {
      await main(started.url);
    } finally {
      started.server.kill();
    }
  }
}

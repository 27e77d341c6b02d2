/**
 * Three member processes with two threads each write and read while links are cut, the server is stopped, refuses, and is killed
 * and replaced, and tracking threads are killed: no read shows a value that was overwritten longer ago than promised. Controls: without the
 * flush when the link is back, and without tracking, it is found.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Server } from '../../scripts/services/redis.js';
import { effort, ONLY_LONG } from '../fixtures/effort.js';
import { NO_SERVER, startFor, urlOf } from '../fixtures/fleet.js';
import type { FleetHistory, HistoryOrder } from '../fixtures/fleet-history.js';
import { type Modules, OWN_MODULES } from '../fixtures/fleet-process.js';
import { type Bug, engineFor } from '../fixtures/instrument.js';
import { startProxy, type TcpProxy } from '../fixtures/proxy.js';
import { wholeNumbers } from '../fixtures/random.js';
import { untilFound } from '../fixtures/until-found.js';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
/** How long it is disturbed, s. */
const SECONDS = effort('SECONDS', 5, 25);
/** Enough for a bug to show, on most runs of a quiet machine. */
const CONTROL_SECONDS = 8;
const CONTROL_ATTEMPTS = 4;
const PROCESSES = 3;
const KEYS = 240;
/** How old what is read may be, ms: once the link is lost, what is near is served for 5 s. A loaded machine takes its time. */
const PROMISE_MS = 6_500;
/** How long it goes on undisturbed, so that what is stale for ever shows, ms. */
const QUIET_MS = PROMISE_MS + 2_000;

t.setTimeout(60_000 + SECONDS * 4_000 + CONTROL_ATTEMPTS * 60_000);
t.comment(`SEED=${SEED}`);

async function record(
  t: Parameters<typeof startFor>[0],
  fleet: Modules,
  seconds: number,
  seed = SEED,
): Promise<FleetHistory[]> {
  const server = await startFor(t);
  const proxies: TcpProxy[] = [];
  const random = wholeNumbers(seed);
  const children: ChildProcess[] = [];
  const histories: FleetHistory[] = [];
  for (let i = 0; i < PROCESSES; i++) {
    const proxy = await startProxy(server);
    t.teardown(() => proxy.stop());
    proxies.push(proxy);
    const order: HistoryOrder = {
      ...fleet,
      url: urlOf(proxy),
      seat: 2 * i,
      seats: 2 * PROCESSES,
      keys: KEYS,
      seed,
    };
    const program = fileURLToPath(new URL('../fixtures/fleet-history.js', import.meta.url));
    const child = fork(program, [JSON.stringify(order)], { execArgv: [], serialization: 'advanced' });
    t.teardown(() => child.kill('SIGKILL'));
    children.push(child);
  }
  await Promise.all(children.map((child) => once(child, 'message')));
  for (const child of children) {
    child.on('message', (history: FleetHistory) => histories.push(history));
    child.send('go');
  }
  await disturb(t, server, proxies, children, random, seconds);
  // Whatever is stale now stays so.
  for (const child of children) child.send('read');
  await delay(QUIET_MS);
  const ended = children.map((child) => once(child, 'exit'));
  for (const child of children) child.send('end');
  await Promise.all(ended);
  return histories;
}

/** What is done is over when this resolves. */
async function disturb(
  t: Parameters<typeof startFor>[0],
  first: Server,
  proxies: readonly TcpProxy[],
  children: readonly ChildProcess[],
  random: (below: number) => number,
  seconds: number,
): Promise<void> {
  let server = first;
  const end = performance.now() + seconds * 1_000;
  await delay(1_000);
  while (performance.now() < end) {
    const kind = random(5);
    // One process alone: the others go on writing.
    const proxy = proxies[random(PROCESSES)];
    if (kind === 0) proxy.cut();
    else if (kind === 1) children[random(PROCESSES)].send('kill tracker');
    else if (kind === 2) {
      server.signal('SIGSTOP');
      await delay(random(900));
      server.signal('SIGCONT');
    } else if (kind === 3) {
      proxy.isClosed = true;
      proxy.cut();
      await delay(random(700));
      proxy.isClosed = false;
    } else {
      // It dies with all it had, and another comes in its place.
      server.signal('SIGKILL');
      server = await startFor(t);
      for (const link of proxies) link.target = server;
    }
    await delay(100 + random(600));
  }
}

/** The reads that showed what had been overwritten longer ago than promised. */
function staleReads(histories: readonly FleetHistory[]): string[] {
  const writes = new Map<number, [version: number, at: number][]>();
  for (const [key, version, at] of histories.flatMap((history) => history.writes))
    writes.set(key, [...(writes.get(key) ?? []), [version, at]]);
  const problems: string[] = [];
  for (const [key, version, at] of histories.flatMap((history) => history.reads)) {
    const newer = version === 0 ? undefined : writes.get(key)?.find(([later]) => later > version);
    if (newer !== undefined && newer[1] + PROMISE_MS < at)
      problems.push(`key ${key}: version ${version} read ${(at - newer[1]).toFixed(0)} ms after ${newer[0]} was there`);
  }
  return problems;
}

const skip = NO_SERVER || ONLY_LONG.skip;

t.test('no read is older than promised', { skip }, async (t) => {
  const histories = await record(t, OWN_MODULES, SECONDS);
  t.equal(histories.length, 2 * PROCESSES);
  const reads = histories.reduce((sum, history) => sum + history.reads.length, 0);
  const writes = histories.reduce((sum, history) => sum + history.writes.length, 0);
  t.comment(`${reads.toLocaleString('en')} reads, ${writes.toLocaleString('en')} writes`);
  t.ok(reads > 500 && writes > 50);
  t.strictSame(staleReads(histories).slice(0, 5), []);
});

const bugs: Record<string, Bug> = {
  'nothing is dropped when the link is back': {
    file: 'tier/link.js',
    from: 'restored(drop) {\n        drop();',
    to: 'restored() {',
  },
  'nobody is told of changes': {
    file: 'tier/tracker.js',
    from: 'invalidate(key) {\n                told(key);',
    to: 'invalidate() {',
  },
};

for (const [name, bug] of Object.entries(bugs)) {
  t.test(`control: ${name}`, { skip }, async (t) => {
    const copy = engineFor(t, bug);
    let attempt = 0;
    const found = await untilFound(async () => {
      const problems = staleReads(await record(t, copy, CONTROL_SECONDS, SEED + attempt++));
      if (problems.length > 0) t.comment(problems[0]);
      return problems.length;
    }, CONTROL_ATTEMPTS);
    t.not(found, 0);
  });
}

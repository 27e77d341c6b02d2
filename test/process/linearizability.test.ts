/** What three processes of two threads each did to one cache can be put in an order. Control: a read of what is over. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { SharedCache as Cache } from '../../src/index.js';
import { effort } from '../fixtures/effort.js';
import { History } from '../fixtures/history.js';
import { engineFor } from '../fixtures/instrument.js';
import { checkHistories, STALE_READS } from '../fixtures/linearizability.js';
import { folderFor } from '../fixtures/process/folder.js';
import type { HistoryOrder } from '../fixtures/process/history-process.js';
import { untilFound } from '../fixtures/until-found.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
const OPERATIONS = effort('OPERATIONS', 30_000, 1_200_000);
const PROCESSES = 3;
const THREADS = 2;
const KEYS = 64;
const ENGINE = import.meta.resolve('mooncake-cache');
const PROGRAM = fileURLToPath(new URL('../fixtures/process/history-process.js', import.meta.url));
t.setTimeout(240_000 + OPERATIONS / 4);
t.comment(`SEED=${SEED}`);

let next = SEED;

function start(path: string, engine: string, process: number, capacity: number): ChildProcess {
  const seats = Array.from({ length: THREADS }, (_, thread) => process * THREADS + thread);
  const order: HistoryOrder = { path, engine, seats, keys: KEYS, capacity, seed: next };
  next += THREADS;
  return fork(PROGRAM, [JSON.stringify(order)], { execArgv: [], serialization: 'advanced' });
}

/** Has the processes work on one cache at once, and checks what they recorded. */
async function record(path: string, engine: string, total: number): Promise<{ count: number; problems: string[] }> {
  const { SharedCache } = (await import(engine)) as { SharedCache: typeof Cache };
  const cache = SharedCache.open<number>(path, { maxBytes: '4MB', ttl: Number.POSITIVE_INFINITY, sweep: false });
  const capacity = Math.ceil(total / (PROCESSES * THREADS));
  const processes = Array.from({ length: PROCESSES }, (_, i) => start(path, engine, i, capacity));
  await Promise.all(processes.map((process) => once(process, 'message')));
  const told = processes.map(async (process) => {
    const ended = once(process, 'exit');
    const [histories] = (await once(process, 'message')) as [Uint8Array[]];
    await ended;
    return histories;
  });
  for (const process of processes) process.send('begin');
  const histories = (await Promise.all(told)).flat().map((bytes) => {
    const buffer = new SharedArrayBuffer(bytes.length);
    new Uint8Array(buffer).set(bytes);
    return new History(capacity, buffer);
  });
  const problems = cache.inspect().problems;
  cache.close();
  SharedCache.remove(path);
  const checked = checkHistories(histories, KEYS);
  return { count: checked.count, problems: problems.concat(checked.problems) };
}

t.test(`${OPERATIONS} operations of ${PROCESSES} processes with ${THREADS} threads each`, async (t) => {
  const { count, problems } = await record(`${folderFor(t)}/cache`, ENGINE, OPERATIONS);
  t.ok(count >= OPERATIONS);
  t.same(problems.slice(0, 5), []);
});

t.test('control: with a bug that lets old values be read, they cannot', async (t) => {
  const { entry } = engineFor(t, STALE_READS);
  const path = `${folderFor(t)}/cache`;
  t.not(await untilFound(async () => (await record(path, entry, 60_000)).problems.length), 0);
});

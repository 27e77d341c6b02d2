import { Worker } from 'node:worker_threads';
import t from 'tap';
import type { SharedCache as Cache } from '../../src/index.js';
import { effort } from '../fixtures/effort.js';
import { History, KIND, type Operation } from '../fixtures/history.js';
import type { HistorySeat } from '../fixtures/history-writer.js';
import { engineFor } from '../fixtures/instrument.js';
import { ENGINE } from '../fixtures/kills.js';
import { checkHistories, checkKey, STALE_READS } from '../fixtures/linearizability.js';
import { untilFound } from '../fixtures/until-found.js';

const SEED = Number(process.env.SEED ?? Date.now() % 1e9);
const OPERATIONS = effort('OPERATIONS', 30_000, 2_000_000);
const THREADS = 8;
const KEYS = 256;
const KILLS = effort('KILLS', 8, 24);
t.setTimeout(200_000 + OPERATIONS / 4);
t.comment(`SEED=${SEED}`);

let next = SEED;

/** Has eight threads work on one cache, killing and replacing some if asked, and checks what they recorded. */
async function record(engine: string, total: number, kills: number): Promise<{ count: number; problems: string[] }> {
  const { SharedCache } = (await import(engine)) as { SharedCache: typeof Cache };
  const cache = new SharedCache<number>({ maxBytes: '4MB', ttl: Number.POSITIVE_INFINITY, sweep: false });
  const capacity = Math.ceil(total / THREADS);
  const histories = Array.from({ length: THREADS }, () => new History(capacity));
  const url = new URL('../fixtures/history-writer.js', import.meta.url);
  const start = async (seat: number): Promise<{ worker: Worker; ended: Promise<unknown> }> => {
    const { buffer } = histories[seat];
    const workerData: HistorySeat = { engine, handle: cache.handle, seat, keys: KEYS, capacity, buffer, seed: next++ };
    const worker = new Worker(url, { workerData, execArgv: [] });
    // From the start: one that is done before its message is read ends together with it.
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    await new Promise((resolve) => worker.once('message', resolve));
    return { worker, ended };
  };
  const run = async (seat: number): Promise<void> => {
    for (let killed = 0; ; killed++) {
      const { worker, ended } = await start(seat);
      if (killed < kills / THREADS) {
        // In the midst of its work: when it has done a further part of it.
        const enough = (capacity * (killed + 1)) / (kills / THREADS + 2);
        while (histories[seat].length < enough) await new Promise((resolve) => setImmediate(resolve));
        await worker.terminate();
      }
      await ended;
      if (histories[seat].length >= capacity) return;
    }
  };
  await Promise.all(histories.map((_, seat) => run(seat)));
  const problems = cache.inspect().problems;
  cache.close();
  const checked = checkHistories(histories, KEYS);
  return { count: checked.count, problems: problems.concat(checked.problems) };
}

t.test(`${OPERATIONS} operations of ${THREADS} threads can be put in an order`, async (t) => {
  const { count, problems } = await record(ENGINE, OPERATIONS, 0);
  t.ok(count >= OPERATIONS);
  t.same(problems.slice(0, 5), []);
});

t.test(`so can those of threads of which ${KILLS} were killed`, async (t) => {
  const { count, problems } = await record(ENGINE, OPERATIONS, KILLS);
  t.ok(count >= OPERATIONS);
  t.same(problems.slice(0, 5), []);
});

t.test('with a bug that lets old values be read, they cannot', async (t) => {
  const { cache } = engineFor(t, STALE_READS);
  t.not(await untilFound(async () => (await record(cache, 100_000, 0)).problems.length), 0);
});

t.test('the check itself', async (t) => {
  const put = (value: number, start: number, end: number): Operation => ({ key: 0, kind: KIND.put, value, start, end });
  const get = (value: number, start: number, end: number): Operation => ({ key: 0, kind: KIND.get, value, start, end });
  const remove = (start: number, end: number): Operation => ({ key: 0, kind: KIND.delete, value: 0, start, end });
  const never = Number.POSITIVE_INFINITY;
  const good: Record<string, Operation[]> = {
    'one after the other': [put(1, 0, 1), get(1, 2, 3), put(2, 4, 5), get(2, 6, 7)],
    'old and new while a put goes on': [put(1, 0, 1), put(2, 2, 9), get(1, 3, 4), get(2, 5, 6)],
    'a put that never returned, read': [put(1, 0, 1), put(2, 2, never), get(2, 5, 6)],
    'a put that never returned, not read': [put(1, 0, 1), put(2, 2, never), get(1, 5, 6)],
    'nothing before the first put': [get(0, 0, 1), put(1, 2, 3)],
    'nothing after a delete': [put(1, 0, 1), remove(2, 3), get(0, 4, 5)],
    'nothing while a delete goes on': [put(1, 0, 1), remove(2, 9), get(0, 4, 5)],
  };
  const bad: Record<string, Operation[]> = {
    'an old value after the new one': [put(1, 0, 1), put(2, 2, 3), get(1, 4, 5)],
    'back and forth': [put(1, 0, 1), put(2, 2, 9), get(2, 3, 4), get(1, 5, 6)],
    'a value out of nowhere': [put(1, 0, 1), get(2, 2, 3)],
    'a value of the future': [get(1, 0, 1), put(1, 2, 3)],
    'nothing without a delete': [put(1, 0, 1), get(0, 2, 3)],
    'nothing after a put that followed the delete': [remove(0, 1), put(1, 2, 3), get(0, 4, 5)],
  };
  for (const [name, operations] of Object.entries(good)) t.same(checkKey(operations), [], name);
  for (const [name, operations] of Object.entries(bad)) t.not(checkKey(operations).length, 0, name);
});

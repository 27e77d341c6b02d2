/**
 * Loaders that ask for each other's keys as a random graph says, on threads that block and threads that do not. Without
 * circles every key is loaded exactly once and nobody gets an error; with circles a key gets ERR_RECURSIVE_LOAD if it
 * leads to one and its value if it does not, and in neither case does anybody wait for ever. `SEED=` repeats a run.
 */

import t from 'tap';
import { seededRandom } from '../../bench/workloads/random.js';
import { effort } from '../fixtures/effort.js';
import { combine, type Graph, type GraphResult, graphResultOf, startGraph } from '../fixtures/graph-team.js';
import { withCache } from '../fixtures/with-cache.js';

const THREADS = 4;
const seed = Number(process.env.SEED ?? Date.now() % 1e9);
t.comment(`SEED=${seed}`);
t.setTimeout(120_000);

/** Up to `most` others for each key; only smaller ones unless circles are wanted. */
function drawGraph(random: () => number, keys: number, most: number, circles: boolean): Graph {
  return Array.from({ length: keys }, (_, key) => {
    const among = circles ? keys : key;
    const wanted = among === 0 ? 0 : Math.floor(random() * (most + 1));
    return [...new Set(Array.from({ length: wanted }, () => Math.floor(random() * among)))];
  });
}

/** The value of each key, or the error of those that lead to a circle. */
function expected(graph: Graph): GraphResult {
  const known = new Map<number, number | 'ERR_RECURSIVE_LOAD' | undefined>();
  const visit = (key: number): number | 'ERR_RECURSIVE_LOAD' => {
    // Met again while it is being visited: a circle.
    if (known.has(key)) return known.get(key) ?? 'ERR_RECURSIVE_LOAD';
    known.set(key, undefined);
    const values = graph[key].map(visit);
    const numbers = values.filter((value) => typeof value === 'number');
    const result = numbers.length === values.length ? combine(key, numbers) : 'ERR_RECURSIVE_LOAD';
    known.set(key, result);
    return result;
  };
  return graph.map((_, key) => visit(key));
}

function shuffled(random: () => number, length: number): number[] {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

async function play(t: Parameters<typeof withCache>[0], random: () => number, graph: Graph, blocking: number) {
  const cache = withCache<number>(t);
  const words = new Int32Array(new SharedArrayBuffer(8));
  const orders = Array.from({ length: THREADS }, () => shuffled(random, graph.length));
  const results = await Promise.all(
    orders.map((order, index) => {
      const seat = { graph, handle: cache.handle, order, sync: index < blocking, words, threads: THREADS };
      return graphResultOf(startGraph(seat));
    }),
  );
  const byKey = results.map((result, thread) => {
    const sorted: GraphResult = [];
    for (const [i, key] of orders[thread].entries()) sorted[key] = result[i];
    return sorted;
  });
  return { byKey, loads: words[1] };
}

for (const blocking of [0, 2, THREADS]) {
  t.test(`no circles, ${blocking} of ${THREADS} threads block`, async (t) => {
    const random = seededRandom(seed + blocking);
    for (const [keys, most] of [
      [50, 3],
      [effort('GRAPH_KEYS', 50, 300), 6],
    ]) {
      const graph = drawGraph(random, keys, most, false);
      const { byKey, loads } = await play(t, random, graph, blocking);
      for (const results of byKey) t.same(results, expected(graph));
      t.equal(loads, keys, 'loader runs');
    }
  });

  t.test(`circles, ${blocking} of ${THREADS} threads block`, async (t) => {
    const random = seededRandom(seed + 100 + blocking);
    for (const [keys, most] of [
      [4, 2],
      [8, 2],
      [20, 2],
    ]) {
      const graph = drawGraph(random, keys, most, true);
      const { byKey } = await play(t, random, graph, blocking);
      for (const results of byKey) t.same(results, expected(graph), JSON.stringify(graph));
    }
  });
}

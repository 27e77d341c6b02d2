import { Worker } from 'node:worker_threads';
import t from 'tap';
import { effort, ONLY_LONG } from '../fixtures/effort.js';
import { type Bug, engineFor } from '../fixtures/instrument.js';
import { ENGINE, SEED } from '../fixtures/kills.js';
import type { FuzzOrder } from '../fixtures/memory-fuzz-worker.js';

/**
 * Memory and handles that make no sense: any answer is a value, a miss, a refusal or a SharedCacheError; nothing hangs,
 * nothing ends the thread. `SEED=` and `RUNS=` choose what is tried, and a finding names its own.
 */
const RUNS = effort('RUNS', 20, 600);
/** Of a control, which ends with its first finding: one run in fifty finds the missing check of pages. */
const MOST_RUNS = 750;
/** ms without a step after which a thread hangs; the longest step takes some 50 on a quiet machine. */
const SILENCE = 20_000;

t.setTimeout(280_000 + RUNS * 1_000);
t.comment(`SEED=${SEED}`);

/** Runs the order in a thread of its own, and ends the thread when it makes no step for `silence` ms. */
function fuzz(
  part: FuzzOrder['part'],
  engine = ENGINE,
  silence = SILENCE,
  runs = RUNS,
  seed = SEED,
): Promise<string[]> {
  const progress = new SharedArrayBuffer(8);
  const told = new Int32Array(progress);
  const workerData: FuzzOrder = { engine, part, seed, runs, progress };
  const url = new URL('../fixtures/memory-fuzz-worker.js', import.meta.url);
  const worker = new Worker(url, { workerData, execArgv: [] });
  return new Promise((resolve) => {
    let seen = -1;
    const watchdog = setInterval(() => {
      const now = Atomics.load(told, 1);
      if (now === seen) {
        finish([`SEED=${told[0]} RUNS=1 hangs`]);
        void worker.terminate();
      }
      seen = now;
    }, silence);
    const finish = (findings: string[]): void => {
      clearInterval(watchdog);
      resolve(findings);
    };
    worker.once('message', finish);
    worker.once('error', (error) => finish([`SEED=${told[0]} RUNS=1 ended the thread: ${error.stack}`]));
    worker.once('exit', (code) => finish([`SEED=${told[0]} RUNS=1 ended with ${code}`]));
  });
}

for (const part of ['handles', 'memory'] as const) {
  t.test(`${RUNS} times hostile ${part}`, async (t) => {
    t.same((await fuzz(part)).slice(0, 5), []);
  });
}

/** Runs the hostile memory over a copy of the engine that lacks one bound. */
async function withBug(bug: Bug, silence: number): Promise<string[]> {
  const { cache } = engineFor(t, bug);
  return await fuzz('memory', cache, silence, MOST_RUNS);
}

t.test('control: without its bound, the walk along a list is found to hang', ONLY_LONG, async (t) => {
  const findings = await withBug({ file: 'policy/list.js', from: 'count <= memory.slotCount', to: 'true' }, 3_000);
  t.match(findings[0], /hangs/);
});

t.test('control: without its check of pages, an allocation throws an error of the platform', async (t) => {
  const from = 'if (!(page >= 0 && page < this.#pageCount) || m[record + PAGE.class] !== sizeClass + 1)';
  const findings = await withBug({ file: 'memory/heap.js', from, to: 'if (false)' }, SILENCE);
  t.match(findings.join('\n'), /RangeError|hangs/);
});

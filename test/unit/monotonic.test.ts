/** All threads have one time, also one that lost its core while it found out when its own clock was 0. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { monotonicMs } from '../../src/sync/monotonic.js';

const STALL_MS = 40;
const module = new URL('../../src/sync/monotonic.js', import.meta.url).href;

/** What stands still for STALL_MS, in a thread that has the clock's module not yet. */
const stalls = {
  'after the machine clock has answered': `
    const { hrtime } = process;
    let isFirst = true;
    process.hrtime = () => {
      const answer = hrtime();
      if (isFirst) sleep();
      isFirst = false;
      return answer;
    };`,
  'before the machine clock answers': `
    const { hrtime } = process;
    let isFirst = true;
    process.hrtime = () => {
      if (isFirst) sleep();
      isFirst = false;
      return hrtime();
    };`,
  'at every question': `
    const { hrtime } = process;
    let asked = 0;
    process.hrtime = () => {
      const answer = hrtime();
      sleep(asked++ === 7 ? 1 : 3);
      return answer;
    };`,
};

for (const [name, stall] of Object.entries(stalls)) {
  t.test(`a thread that loses its core ${name} while it starts`, async (t) => {
    const worker = new Worker(
      `const { parentPort } = require('node:worker_threads');
      const sleep = (ms = ${STALL_MS}) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
      ${stall}
      import(${JSON.stringify(module)}).then(({ monotonicMs }) => {
        parentPort.on('message', () => parentPort.postMessage(monotonicMs()));
        parentPort.postMessage('ready');
      });`,
      { eval: true, execArgv: [] },
    );
    await once(worker, 'message');
    const before = monotonicMs();
    worker.postMessage('time');
    const [told] = (await once(worker, 'message')) as [number];
    const after = monotonicMs();
    t.ok(told > before - 2 && told < after + 2, `${told} is within ${before} and ${after}`);
    await worker.terminate();
  });
}

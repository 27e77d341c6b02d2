/** The cache's time is the machine's monotonic clock: neither the date nor faked timers move what others share. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { newCache, withCache } from '../fixtures/with-cache.js';

const HOUR = 3_600_000;

/** Runs the body with a Date that is off by so much. */
function withDate<T>(offset: number, run: () => T): T {
  const real = Date.now;
  Date.now = () => real() + offset;
  try {
    return run();
  } finally {
    Date.now = real;
  }
}

t.test('a date that is set back or forward moves no expiry', async (t) => {
  for (const sweep of [true, false]) {
    const cache = withCache<number>(t, { sweep });
    cache.put('ten minutes', 1, { ttl: '10m' });
    for (const offset of [HOUR, -HOUR, -Date.now()]) {
      withDate(offset, () => {
        t.equal(cache.get('ten minutes'), 1);
        cache.put('short', 1, { ttl: 60_000 });
        t.ok((cache.expiresIn('short') as number) <= 60_000);
      });
      t.equal(cache.get('short'), 1);
      t.ok((cache.expiresIn('ten minutes') as number) > 590_000);
    }
  }
});

t.test('timers and clocks that were faked after the import', async (t) => {
  const { setTimeout: realTimeout, setInterval: realInterval } = globalThis;
  const realNow = performance.now;
  Object.assign(globalThis, { setTimeout: () => 5, setInterval: () => undefined });
  performance.now = () => 0;
  try {
    const cache = newCache<number>({ maxBytes: '4MB', monitor: true });
    cache.onLeave(() => {});
    t.equal(await cache.getOrSet('k', async () => 1), 1);
    cache.monitor?.recordOperation('x', 1, true);
    cache.put('k', 2, { ttl: 50 });
    t.equal(cache.get('k'), 2);
    cache.close();
  } finally {
    Object.assign(globalThis, { setTimeout: realTimeout, setInterval: realInterval });
    performance.now = realNow;
  }
});

t.test('TTLs that are very long, and fractions', async (t) => {
  const cache = withCache<number>(t, { now: () => 1_000 });
  for (const ttl of [Number.MAX_SAFE_INTEGER, 1e300, 401 * 366 * 24 * HOUR]) {
    cache.put('k', 1, { ttl });
    t.equal(cache.expiresIn('k'), Number.POSITIVE_INFINITY);
  }
  cache.put('k', 1, { ttl: 100 * 365 * 24 * HOUR });
  t.equal(cache.expiresIn('k'), 100 * 365 * 24 * HOUR);
  cache.put('k', 1, { ttl: 0.25 });
  t.equal(cache.get('k'), 1, 'rounded up to a whole ms');
});

t.test('after a stop of the whole process, what expired meanwhile is gone after few reads', async (t) => {
  const program = fileURLToPath(new URL('../fixtures/stopped.js', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (output === 'ready\n') {
      child.kill('SIGSTOP');
      setTimeout(() => child.kill('SIGCONT'), 3_000);
    }
  });
  await once(child, 'close');
  const late = Number(output.split('\n')[1]);
  t.ok(late <= 17, `${late} reads by the time from before the stop`);
});

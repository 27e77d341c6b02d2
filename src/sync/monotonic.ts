/**
 * The machine's clocks as they were when this module was loaded: what a test fakes later, or freezes, does not reach a cache
 * that others share.
 */
const { performance, process, Date: realDate } = globalThis;
const performanceNow = performance.now.bind(performance);
const hrtime = process.hrtime.bind(process);

/** ms of the machine's monotonic clock, which all threads and processes share, and which no change of the date moves. */
const machineMs = (): number => {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
};

/** Two questions this close together, in ms, were asked at one moment. */
const ONE_MOMENT_MS = 0.02;
const MOST_TRIES = 100;

/**
 * When performance.now() was 0, by the machine's clock: the same clock, cheaper to ask, counted from this thread's start.
 * A thread that loses its core between the two questions would be late, or early, by that pause to its end, and what it
 * stores would expire before or after its time for all others. So the clock is asked between two questions to the other,
 * until they are one moment, or else the closest pair of all tries counts.
 */
const startMs = ((): number => {
  let closest = Number.POSITIVE_INFINITY;
  let start = 0;
  for (let tries = 0; tries < MOST_TRIES && closest > ONE_MOMENT_MS; tries++) {
    const before = performanceNow();
    const machine = machineMs();
    const after = performanceNow();
    if (after - before >= closest) continue;
    closest = after - before;
    start = machine - (before + after) / 2;
  }
  return start;
})();

/** ms since an arbitrary moment that is the same for all threads and processes of the machine, with fractions. */
export function monotonicMs(): number {
  return startMs + performanceNow();
}

/** ms since 1970, by the date that the machine shows now. */
export const wallMs: () => number = realDate.now.bind(realDate);

/** Timers as they were at load: a test's fake ones may return what is no timer. */
export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, queueMicrotask } = globalThis;

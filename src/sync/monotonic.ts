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
// performance.now() is the same clock, counted from this thread's start, and cheaper to ask.
const startMs = machineMs() - performanceNow();

/** ms since an arbitrary moment that is the same for all threads and processes of the machine, with fractions. */
export function monotonicMs(): number {
  return startMs + performanceNow();
}

/** ms since 1970, by the date that the machine shows now. */
export const wallMs: () => number = realDate.now.bind(realDate);

/** Timers as they were at load: a test's fake ones may return what is no timer. */
export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, queueMicrotask } = globalThis;

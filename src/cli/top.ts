import { setTimeout as wait } from 'node:timers/promises';
import type { SharedCache } from '../index.js';
import type { Call } from './command-line.js';
import { RateMeter, type Rates } from './rates.js';
import { lineOf, screenOf } from './view.js';

/** Puts the cursor home and clears what is below, so that a screen is drawn over the one before. */
const HOME = '\x1b[H\x1b[J';
/** The terminal's second screen without a cursor, and back to the first. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

/**
 * Shows what happens in a cache until a signal comes, or `--count` looks were taken: on a terminal a screen that is drawn anew,
 * elsewhere a line for each look.
 */
export async function top(path: string, cache: SharedCache<unknown>, call: Call): Promise<void> {
  const seconds = call.number('interval', 1);
  const most = call.number('count', Number.POSITIVE_INFINITY);
  const { isJson } = call;
  const { stdout } = process;
  const isScreen = stdout.isTTY === true && !isJson;
  const hasColors = isScreen && process.env.NO_COLOR === undefined && stdout.hasColors();
  const show = (rates: Rates): void => {
    if (isJson) stdout.write(`${JSON.stringify(rates)}\n`);
    else stdout.write(isScreen ? HOME + screenOf(path, rates, hasColors) : `${lineOf(rates)}\n`);
  };
  const ending = new AbortController();
  const end = (): void => ending.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  if (isScreen) stdout.write(ENTER);
  try {
    const meter = new RateMeter(cache);
    for (let looks = 0; looks < most; looks++) {
      await wait(seconds * 1_000, undefined, { signal: ending.signal });
      show(meter.look());
    }
  } catch (error) {
    if (!ending.signal.aborted) throw error;
  } finally {
    if (isScreen) stdout.write(LEAVE);
  }
}

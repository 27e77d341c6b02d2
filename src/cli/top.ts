import { setTimeout as wait } from 'node:timers/promises';
import type { SharedCache } from '../index.js';
import { RateMeter, type Rates } from './rates.js';
import { UsageError } from './usage.js';
import { lineOf, screenOf } from './view.js';

/** Puts the cursor home and clears what is below, so that a screen is drawn over the one before. */
const HOME = '\x1b[H\x1b[J';
/** The terminal's second screen without a cursor, and back to the first. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

/** What `top` was asked for. */
export interface TopOptions {
  /** Seconds between two looks, as text. Default '1'. */
  readonly interval?: string | undefined;
  /** Looks after which it ends, as text. Default never. */
  readonly count?: string | undefined;
  readonly isJson: boolean;
}

/**
 * Shows what happens in a cache until a signal comes, or `count` looks were taken: on a terminal a screen that is drawn anew,
 * elsewhere a line for each look.
 */
export async function top(path: string, cache: SharedCache<unknown>, options: TopOptions): Promise<void> {
  const seconds = numberOf('interval', options.interval ?? '1', 0.05);
  const most = options.count === undefined ? Number.POSITIVE_INFINITY : numberOf('count', options.count, 1);
  const { stdout } = process;
  const isScreen = stdout.isTTY === true && !options.isJson;
  const hasColors = isScreen && process.env.NO_COLOR === undefined && stdout.hasColors();
  const show = (rates: Rates): void => {
    if (options.isJson) stdout.write(`${JSON.stringify(rates)}\n`);
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

function numberOf(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= 86_400) return value;
  throw new UsageError(`--${name} must be a number from ${least} to 86400, received ${JSON.stringify(text)}`);
}

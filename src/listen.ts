import { checkObject } from './arguments.js';
import { decodePlacedKey } from './codec/placed-key.js';
import { checkFunction, describe, rejectUnknown, SharedCacheError } from './errors.js';
import { CAUSES } from './memory/layout.js';
import { clearInterval, setInterval } from './sync/monotonic.js';
import { EventReader, type RawEvent } from './table/event-reader.js';
import type { Table } from './table/table.js';

/**
 * Why an entry left: `evicted` to make room; `expired` by its TTL; `deleted` by a call, a take included; `replaced` by
 * another value; `invalidated` by a tag; `cleared` with its cache or namespace; `refused`: its key was put with a value that
 * was too large.
 */
export type Cause = 'evicted' | 'expired' | 'deleted' | 'replaced' | 'invalidated' | 'cleared' | 'refused';

/** An entry that left. */
export interface LeaveEvent {
  /** Its key. */
  key: string;
  /** The name of its namespace, if it was in one; of one inside of others, all names with `/` between. */
  namespace?: string;
  /** Why. */
  cause: Cause;
}

/** Hears of entries that left, the oldest first, and of how many events were lost since the last call. */
export type LeaveListener = (events: readonly LeaveEvent[], lost: number) => void;

/** Settings of `onLeave`. */
export interface ListenOptions {
  /** Which causes to tell. Default all. */
  causes?: readonly Cause[] | undefined;
  /** Most events of one batch, 1 to 1,000,000; older ones count as lost. Default 4,096. */
  capacity?: number | undefined;
}

const POLL_MS = 20;
const DEFAULT_CAPACITY = 4096;
const MAX_CAPACITY = 1_000_000;
const ALL_CAUSES = 2 ** CAUSES.length - 1;

/** Begins to listen; returns what ends it. Throws ERR_INVALID_ARGUMENT, ERR_INVALID_OPTION. */
export function listen(table: Table, listener: LeaveListener, options: ListenOptions): () => void {
  checkFunction('the listener', listener);
  checkObject(options, '{ causes, capacity }');
  rejectUnknown(options, ['causes', 'capacity'], 'option');
  const { causes, capacity = DEFAULT_CAPACITY } = options;
  if (!(Number.isInteger(capacity) && capacity >= 1 && capacity <= MAX_CAPACITY)) {
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      `capacity must be a whole number from 1 to ${MAX_CAPACITY}, received ${describe(capacity)}`,
    );
  }
  const mask = causes === undefined ? ALL_CAUSES : maskOf(causes);
  const forget = table.addListener(mask);
  const reader = new EventReader(table.shards, mask, capacity);
  const poll = (): void => {
    const { events, lost } = reader.read();
    if (events.length > 0 || lost > 0) listener(events.map(eventOf), lost);
  };
  // What the listener throws is thrown by the timer: an uncaught exception of this thread, and the next turn comes.
  const timer = setInterval(() => {
    if (table.hasLeft) clearInterval(timer);
    else poll();
  }, POLL_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    forget();
  };
}

function maskOf(causes: readonly Cause[]): number {
  if (!Array.isArray(causes)) throw invalidCauses(causes);
  let mask = 0;
  for (const cause of causes) {
    const number = CAUSES.indexOf(cause);
    if (number < 0) throw invalidCauses(cause);
    mask |= 1 << number;
  }
  return mask;
}

function invalidCauses(received: unknown): SharedCacheError {
  return new SharedCacheError(
    'ERR_INVALID_OPTION',
    `causes must be an array of ${CAUSES.join(', ')}, received ${describe(received)}`,
  );
}

function eventOf({ key, cause }: RawEvent): LeaveEvent {
  const placed = decodePlacedKey(key, key.length);
  const event = { key: placed.key, cause: CAUSES[cause] };
  return placed.namespaces.length === 0 ? event : { ...event, namespace: placed.namespaces.join('/') };
}

import { describe, SharedCacheError } from '../errors.js';
import { CONTROL } from '../memory/layout.js';
import { monotonicMs, wallMs } from './monotonic.js';

/** How far behind the coarse clock is trusted not to be. */
export const STALENESS_MS = 1_000;
/** From this TTL on an entry may expire as much too early as the coarse clock is late. */
const COARSE_TTL_MS = 60_000;
/** A sweeper silent for so long is taken for dead, until its next tick: less than the trust lasts, so nobody is misled. */
const SILENCE_MS = 250;
/** Most questions the coarse clock answers in a row before a thread that asks often looks at the real one. */
const MAX_TRUST = 16;
/** A thread asks often while so much time at most, in ms, passes between two of its looks at the real clock. */
const OFTEN_MS = 1;
/** A TTL this long never ends: 400 years, which is what the times of entries can hold. */
const LONGEST_TTL_MS = 400 * 365.25 * 24 * 3_600_000;

/** Later than any time, and not Infinity, which is the expiry of what never expires. */
export const NO_ANSWER = Number.MAX_VALUE;

/**
 * The cache's sense of time: whole ms since 1970 or so. It is the machine's monotonic clock plus an offset in shared memory,
 * so it is the same for all threads and processes, and setting the machine's date moves no expiry.
 *
 * Asking the real clock costs 25 to 60 ns, too dear for every get; a shared word that every write and the sweeper advance
 * costs one. The coarse clock only answers where the answer is not close: an entry that expires within a second of it is
 * always judged by the real clock, so a late sweeper cannot keep an entry alive.
 *
 * Nor can a dead one: every look at the real clock also tells how long the sweeper has been silent, and whoever finds it
 * dead sends everyone to the real clock. A thread looks each time while it asks seldom, and as it goes on asking often less
 * and less, down to once in 17 questions. So after a stop of the whole process (SIGSTOP, a suspended machine) each thread
 * may answer 16 questions by the time from before the stop.
 *
 * A thread that was given a clock of its own (a test) asks that one, and leaves the shared words alone. Such a clock is the
 * user's code, which may use this very cache, and with it all that the thread has only one of: so each call asks it once,
 * before anything else, and goes by that answer to its end.
 *
 * The f64 is read and written plainly: aligned eight-byte accesses are single instructions on every target of Node.
 */
export class Clock {
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #offset: number;
  #own: (() => number) | undefined;
  /** Gives what it said, or threw, when it was asked last. */
  #ownAnswer: (() => number) | undefined;
  #isAsking = false;
  /** What the last call of `expiryAfter` took for now, up to STALENESS_MS too early; NO_ANSWER where it did not ask. */
  answer = NO_ANSWER;
  /** Questions the coarse clock may answer until the next look, and how many it might after the last one. */
  #left = 0;
  #trust = 0;
  #lookedAt = 0;

  constructor(words: Int32Array, doubles: Float64Array, own?: (() => number) | undefined) {
    this.#words = words;
    this.#doubles = doubles;
    this.#offset = doubles[CONTROL.clockOffset >> 1];
    this.#own = own;
  }

  /** Sets the offset of a new cache, so that its time is about that of the date now. */
  static start(doubles: Float64Array): void {
    const offset = wallMs() - monotonicMs();
    doubles[CONTROL.clockOffset >> 1] = offset;
    doubles[CONTROL.clock >> 1] = Math.floor(monotonicMs() + offset);
  }

  /** Goes on in time where the cache was left, after a new start of the machine: never back, and with the date. */
  static restart(doubles: Float64Array): void {
    doubles[CONTROL.clockOffset >> 1] = Math.max(wallMs(), doubles[CONTROL.clock >> 1]) - monotonicMs();
  }

  /** From now on this thread's time is what `own` says, in ms. */
  use(own: () => number): void {
    this.#own = own;
    this.ask();
  }

  get isOwn(): boolean {
    return this.#own !== undefined;
  }

  /** Asks a clock of one's own. What it throws is thrown by those who want the time; what it calls has the time before. */
  ask(): void {
    if (this.#own === undefined || this.#isAsking) return;
    this.#isAsking = true;
    try {
      const time = ownTime(this.#own);
      this.#ownAnswer = () => time;
    } catch (error) {
      this.#ownAnswer = () => {
        throw error;
      };
    } finally {
      this.#isAsking = false;
    }
  }

  /** The time now, rounded down, which it also tells everyone else. */
  now(): number {
    const now = Math.floor(this.#exact());
    if (this.#own !== undefined || this.#doubles[CONTROL.clock >> 1] === now) return now;
    this.#doubles[CONTROL.clock >> 1] = now;
    if (now - this.#doubles[CONTROL.tickedAt >> 1] > SILENCE_MS) this.stopTicking();
    return now;
  }

  /** The time as somebody last told it if a sweeper keeps it going, else the time now: for what need not be exact. */
  recent(): number {
    return this.#words[CONTROL.ticking] === 0 || this.#own !== undefined
      ? this.now()
      : this.#doubles[CONTROL.clock >> 1];
  }

  hasExpired(expiresAt: number): boolean {
    if (expiresAt === Number.POSITIVE_INFINITY) return false;
    if (this.#words[CONTROL.ticking] === 0 || this.#own !== undefined) return this.now() >= expiresAt;
    if (expiresAt - this.#doubles[CONTROL.clock >> 1] < STALENESS_MS) return this.now() >= expiresAt;
    return !this.#mayTrust() && this.#look() >= expiresAt;
  }

  /**
   * When an entry stored now with this TTL (ms) expires: at once if the TTL is 0, and a moment early, never late, if it is
   * long.
   */
  expiryAfter(ttl: number): number {
    this.answer = NO_ANSWER;
    if (ttl === 0) return this.now();
    if (ttl > LONGEST_TTL_MS) return Number.POSITIVE_INFINITY;
    if (ttl < COARSE_TTL_MS || this.#words[CONTROL.ticking] === 0 || this.#own !== undefined)
      this.answer = this.#exact();
    else this.answer = this.#mayTrust() ? this.#doubles[CONTROL.clock >> 1] : this.#look();
    return Math.ceil(this.answer + ttl);
  }

  /**
   * What to add to a time of this clock to have the time in ms since 1970 by the date that the machine shows now: for what
   * outlives the machine's monotonic clock. 0 for a clock of one's own, which is believed.
   */
  toDate(): number {
    return this.#own === undefined ? wallMs() - this.#exact() : 0;
  }

  /** ms until then: never more than what was asked for, and 0 when it has passed. */
  until(expiresAt: number): number {
    return Math.max(0, expiresAt - Math.ceil(this.#exact()));
  }

  #exact(): number {
    return this.#ownAnswer === undefined ? monotonicMs() + this.#offset : this.#ownAnswer();
  }

  /** Whether the coarse clock may answer once more. */
  #mayTrust(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  /** A look at the real clock, and for how many questions it may be the last. */
  #look(): number {
    const now = this.now();
    this.#trust = now - this.#lookedAt <= OFTEN_MS ? Math.min(2 * this.#trust + 1, MAX_TRUST) : 0;
    this.#left = this.#trust;
    this.#lookedAt = now;
    return now;
  }

  /** Called by the sweeper every few dozen milliseconds. */
  tick(): void {
    this.#doubles[CONTROL.tickedAt >> 1] = this.now();
    this.#words[CONTROL.ticking] = 1;
  }

  /** The sweeper has stopped: everyone asks the real clock from now on. */
  stopTicking(): void {
    this.#words[CONTROL.ticking] = 0;
  }
}

function ownTime(own: () => number): number {
  const time: unknown = own();
  if (typeof time === 'number' && !Number.isNaN(time)) return Math.max(0, time);
  throw new SharedCacheError('ERR_INVALID_OPTION', `now must return a number of ms, it returned ${describe(time)}`);
}

import { CONTROL } from '../memory/layout.js';

/** How far behind the coarse clock is trusted not to be; a sweeper that misses this much is taken for dead. */
const STALENESS_MS = 1_000;
/** Questions the coarse clock answers in a row before one thread looks at the real one. */
const TRUST = 64;

/**
 * The cache's sense of time. `Date.now()` costs 25 to 50 ns, too dear for every get; a shared word that every write and
 * the sweeper advance costs one. The coarse clock only answers where the answer is not close: an entry that expires
 * within a second of it is always judged by the real clock, so a late sweeper cannot keep an entry alive.
 *
 * The f64 is read and written plainly: aligned eight-byte accesses are single instructions on every target of Node.
 */
export class Clock {
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  #asked = 0;

  constructor(words: Int32Array, doubles: Float64Array) {
    this.#words = words;
    this.#doubles = doubles;
  }

  /** Date.now(), which it also tells everyone else. */
  now(): number {
    const now = Date.now();
    if (this.#doubles[CONTROL.clock >> 1] !== now) this.#doubles[CONTROL.clock >> 1] = now;
    return now;
  }

  hasExpired(expiresAt: number): boolean {
    if (expiresAt === Number.POSITIVE_INFINITY) return false;
    if (this.#words[CONTROL.ticking] === 0) return this.now() >= expiresAt;
    const coarse = this.#doubles[CONTROL.clock >> 1];
    if (expiresAt - coarse < STALENESS_MS) return this.now() >= expiresAt;
    if (++this.#asked < TRUST) return false;
    this.#asked = 0;
    const now = this.now();
    if (now - coarse > STALENESS_MS) this.#words[CONTROL.ticking] = 0;
    return now >= expiresAt;
  }

  /** Called by the sweeper every few dozen milliseconds. */
  tick(): void {
    this.now();
    this.#words[CONTROL.ticking] = 1;
  }

  /** The sweeper stops: everyone asks the real clock from now on. */
  stopTicking(): void {
    this.#words[CONTROL.ticking] = 0;
  }
}

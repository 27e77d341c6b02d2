import { CONTROL } from '../memory/layout.js';

/** How far behind the coarse clock is trusted not to be. */
const STALENESS_MS = 1_000;
/** From this TTL on an entry may expire as much too early as the coarse clock is late. */
const COARSE_TTL_MS = 60_000;
/** A sweeper silent for so long is taken for dead, until its next tick: less than the trust lasts, so nobody is misled. */
const SILENCE_MS = 250;
/** Most questions the coarse clock answers in a row before a thread that asks often looks at the real one. */
const MAX_TRUST = 16;
/** A thread asks often while so much time at most, in ms, passes between two of its looks at the real clock. */
const OFTEN_MS = 1;

/**
 * The cache's sense of time. `Date.now()` costs 25 to 50 ns, too dear for every get; a shared word that every write and
 * the sweeper advance costs one. The coarse clock only answers where the answer is not close: an entry that expires
 * within a second of it is always judged by the real clock, so a late sweeper cannot keep an entry alive.
 *
 * Nor can a dead one: every look at the real clock also tells how long the sweeper has been silent, and whoever finds it
 * dead sends everyone to the real clock. A thread looks each time while it asks seldom, and as it goes on asking often less
 * and less, down to once in 17 questions.
 *
 * The f64 is read and written plainly: aligned eight-byte accesses are single instructions on every target of Node.
 */
export class Clock {
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  /** Questions the coarse clock may answer until the next look, and how many it might after the last one. */
  #left = 0;
  #trust = 0;
  #lookedAt = 0;

  constructor(words: Int32Array, doubles: Float64Array) {
    this.#words = words;
    this.#doubles = doubles;
  }

  /** Date.now(), which it also tells everyone else. */
  now(): number {
    const now = Date.now();
    if (this.#doubles[CONTROL.clock >> 1] === now) return now;
    this.#doubles[CONTROL.clock >> 1] = now;
    if (now - this.#doubles[CONTROL.tickedAt >> 1] > SILENCE_MS) this.stopTicking();
    return now;
  }

  hasExpired(expiresAt: number): boolean {
    if (expiresAt === Number.POSITIVE_INFINITY) return false;
    if (this.#words[CONTROL.ticking] === 0) return this.now() >= expiresAt;
    if (expiresAt - this.#doubles[CONTROL.clock >> 1] < STALENESS_MS) return this.now() >= expiresAt;
    return !this.#mayTrust() && this.#look() >= expiresAt;
  }

  /** When an entry stored now with this TTL (ms) expires: a moment early, never late, if the TTL is long. */
  expiryAfter(ttl: number): number {
    if (ttl === Number.POSITIVE_INFINITY) return ttl;
    if (ttl < COARSE_TTL_MS || this.#words[CONTROL.ticking] === 0) return this.now() + ttl;
    return (this.#mayTrust() ? this.#doubles[CONTROL.clock >> 1] : this.#look()) + ttl;
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

import { CONTROL } from '../memory/layout.js';
import { monotonicMs } from '../sync/monotonic.js';
import type { Table } from '../table/table.js';

/** A tracker that has not shown itself for so long, ms, is taken for stopped, like one that died. */
const SILENCE_MS = 2_000;

/**
 * What all threads of the machine know of the link by which the remote tells what others change: words of the cache's memory.
 *
 * One thread tracks. It names itself in `tracker` by compare-and-swap, so of two that start only one does, and a dead one is
 * replaced. `unlinkedAt` is 0 while it is told everything; it is set back to 0 only after all that came from the remote
 * before was dropped. While it is not 0, what is here is served until `unlinkedAt` + the unlinked TTL, and then dropped once: that
 * is noted in its sign.
 */
export class Link {
  readonly #table: Table;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;

  constructor(table: Table) {
    this.#table = table;
    this.#words = table.arena.words;
    this.#doubles = table.arena.doubles;
  }

  /** Whether everything that others change is told. */
  get isUp(): boolean {
    return Atomics.load(this.#words, CONTROL.tracker) !== 0 && this.#doubles[CONTROL.unlinkedAt >> 1] === 0;
  }

  get invalidations(): number {
    return this.#doubles[CONTROL.remoteInvalidations >> 1];
  }

  get flushes(): number {
    return this.#doubles[CONTROL.remoteFlushes >> 1];
  }

  /**
   * Makes the cache one of this fleet, named by a hash of its prefix. False while it is of another whose tracker lives; what it
   * had of one that is gone is dropped.
   */
  enter(fleet: number, drop: () => void): boolean {
    const m = this.#words;
    const before = Atomics.load(m, CONTROL.fleet);
    if (before === fleet) return true;
    if (before !== 0 && !this.isTrackerGone()) return false;
    if (before !== 0) drop();
    return Atomics.compareExchange(m, CONTROL.fleet, before, fleet) === before || this.enter(fleet, drop);
  }

  /** Makes this thread the tracker, unless there is one that lives. */
  claim(): boolean {
    const m = this.#words;
    const before = Atomics.load(m, CONTROL.tracker);
    if (before !== 0 && !this.isTrackerGone()) return false;
    if (Atomics.compareExchange(m, CONTROL.tracker, before, this.#table.owner) !== before) return false;
    // What the one before was told last is not known: its link counts as lost since it last showed itself.
    if (before !== 0) this.#lostSince(this.#doubles[CONTROL.trackerBeat >> 1]);
    else this.lost();
    this.beat();
    return true;
  }

  /** Whether nobody tracks, or the one that did has died or stands still. */
  isTrackerGone(): boolean {
    const tracker = Atomics.load(this.#words, CONTROL.tracker);
    if (tracker === 0 || this.#table.registry.isDead(tracker)) return true;
    return monotonicMs() - this.#doubles[CONTROL.trackerBeat >> 1] > SILENCE_MS;
  }

  /** Notes what isTrackerGone found: from then on nobody was told anything. If it only stood still, it restores the link itself. */
  noteTrackerGone(): void {
    const tracker = Atomics.load(this.#words, CONTROL.tracker);
    this.#lostSince(tracker === 0 ? monotonicMs() : this.#doubles[CONTROL.trackerBeat >> 1]);
  }

  get isTracker(): boolean {
    return Atomics.load(this.#words, CONTROL.tracker) === this.#table.owner;
  }

  /** The tracker's sign of life. */
  beat(): void {
    this.#doubles[CONTROL.trackerBeat >> 1] = monotonicMs();
  }

  /** The tracker gives its place back, if it still has it: another one's link is not this one's to lose. */
  resign(): void {
    if (!this.isTracker) return;
    this.lost();
    Atomics.compareExchange(this.#words, CONTROL.tracker, this.#table.owner, 0);
  }

  lost(): void {
    this.#lostSince(monotonicMs());
  }

  #lostSince(at: number): void {
    if (this.#doubles[CONTROL.unlinkedAt >> 1] === 0)
      this.#doubles[CONTROL.unlinkedAt >> 1] = Math.max(at, Number.MIN_VALUE);
  }

  /** Everything is told from now on. `drop` comes first: what came before may have been changed unnoticed. */
  restored(drop: () => void): void {
    drop();
    this.#doubles[CONTROL.unlinkedAt >> 1] = 0;
  }

  /** Drops what came from the remote once the link has been lost for `ttl` ms. Any thread may. */
  dropIfOld(ttl: number, drop: () => void): void {
    const since = this.#doubles[CONTROL.unlinkedAt >> 1];
    const age = monotonicMs() - since;
    // A moment to come is one of before the machine was started anew.
    if (since <= 0 || (age >= 0 && age < ttl)) return;
    // First the deed: a thread that dies in between leaves it to the next.
    drop();
    this.#doubles[CONTROL.unlinkedAt >> 1] = -since;
  }

  /** Counts something that others changed, and wakes who waits for it. */
  told(isFlush: boolean): void {
    this.#doubles[(isFlush ? CONTROL.remoteFlushes : CONTROL.remoteInvalidations) >> 1]++;
    Atomics.add(this.#words, CONTROL.told, 1);
    Atomics.notify(this.#words, CONTROL.told);
  }

  /** Resolves when something was told since `news` was looked at, or after `ms`. */
  async wait(news: number, ms: number): Promise<void> {
    const wait = Atomics.waitAsync(this.#words, CONTROL.told, news, ms);
    if (wait.async) await wait.value;
  }

  get news(): number {
    return Atomics.load(this.#words, CONTROL.told);
  }
}

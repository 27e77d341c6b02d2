import { WAIT, WAIT_COUNT, WAIT_WORDS, WAITS_WORD } from '../memory/layout.js';
import type { LockContext } from '../sync/mutex.js';
import type { Leases } from './leases.js';

/** Searches that found a circle which was gone when looked at again, before none is taken to be there. */
const MOST_SEARCHES = 100;

/** Two independent hashes that stand for a key. */
export interface KeyId {
  readonly hash: number;
  readonly identity: number;
}

/** One noted wait: ended once, by whoever comes first. */
export class NotedWait {
  readonly #words: Int32Array;
  #word: number;

  constructor(words: Int32Array, word: number) {
    this.#words = words;
    this.#word = word;
  }

  end(): void {
    if (this.#word >= 0) Atomics.store(this.#words, this.#word + WAIT.owner, 0);
    this.#word = -1;
  }
}

/** A step of a search: the key reached, and the wait it was reached by. */
interface Step extends KeyId {
  readonly word: number;
  readonly before: Step | undefined;
}

/**
 * Which key's loader waits for which key, over all threads: what tells a circle from a long load.
 *
 * A wait is noted first and the circle looked for afterwards, so of several threads that close one together at least one
 * sees it whole. Nothing here takes a lock. What is read may change meanwhile, so a circle counts only if each of its waits
 * is found unchanged once more after the last was read: then all of them were there at one moment. The waits of a thread
 * that died are no waits; they are cleared when a search or a full table comes upon them.
 */
export class Waits {
  readonly #words: Int32Array;
  readonly #context: LockContext;
  readonly #leases: Leases;
  #hint: number;

  constructor(words: Int32Array, context: LockContext, leases: Leases) {
    this.#words = words;
    this.#context = context;
    this.#leases = leases;
    // Threads begin at different places, so that they seldom want the same.
    this.#hint = Math.imul(context.owner, 0x9e3779b1) & (WAIT_COUNT - 1);
  }

  /**
   * Notes that the loader of `from` waits for `to`. 'circle', with nothing noted, if `to` waits for `from` already;
   * undefined if no more waits can be noted.
   */
  note(from: KeyId, to: KeyId): NotedWait | 'circle' | undefined {
    const word = this.#take() ?? (this.#clearDead() ? this.#take() : undefined);
    if (word === undefined) return undefined;
    const m = this.#words;
    m[word + WAIT.fromHash] = from.hash;
    m[word + WAIT.fromIdentity] = from.identity;
    m[word + WAIT.toHash] = to.hash;
    m[word + WAIT.toIdentity] = to.identity;
    Atomics.store(m, word + WAIT.owner, this.#context.owner);
    const noted = new NotedWait(m, word);
    if (!this.#leadsTo(to, from)) return noted;
    noted.end();
    return 'circle';
  }

  /**
   * Whether the load of the key cannot go on while this thread blocks: because it waits, over any number of loads and
   * blocked threads, for a load of this thread.
   */
  needsThisThread(key: KeyId): boolean {
    const { owner: me, registry } = this.#context;
    const noted = this.#notedByHash();
    const steps: Step[] = [{ ...key, word: -1, before: undefined }];
    const asked = new Set<number>();
    for (const step of steps) {
      const owner = this.#leases.ownerOf(step.hash, step.identity);
      if (owner === me) return true;
      steps.push(...this.#follow(step, noted));
      if (owner === 0 || asked.has(owner)) continue;
      asked.add(owner);
      const blocked = registry.blockedFor(owner);
      if (blocked !== undefined) steps.push({ ...blocked, word: -1, before: step });
    }
    return false;
  }

  #leadsTo(start: KeyId, goal: KeyId): boolean {
    for (let search = 0; search < MOST_SEARCHES && this.#isWaiting(start.hash); search++) {
      const last = this.#search(start, goal);
      if (last === undefined) return false;
      if (this.#stands(last)) return true;
    }
    return false;
  }

  #search(start: KeyId, goal: KeyId): Step | undefined {
    const noted = this.#notedByHash();
    const steps: Step[] = [{ ...start, word: -1, before: undefined }];
    for (const step of steps) {
      for (const next of this.#follow(step, noted)) {
        if (next.hash === goal.hash && next.identity === goal.identity) return next;
        steps.push(next);
      }
    }
    return undefined;
  }

  /** Whether a loader of a key with this hash waits: most do not, and need no search. */
  #isWaiting(hash: number): boolean {
    const m = this.#words;
    for (let word = WAITS_WORD; word < WAITS_WORD + WAIT_COUNT * WAIT_WORDS; word += WAIT_WORDS) {
      // In this order: what is written before an owner is seen with it.
      if (Atomics.load(m, word + WAIT.owner) > 0 && m[word + WAIT.fromHash] === hash) return true;
    }
    return false;
  }

  /** The words of all waits by the hash of the key whose loader waits. */
  #notedByHash(): Map<number, number[]> {
    const m = this.#words;
    const noted = new Map<number, number[]>();
    for (let word = WAITS_WORD; word < WAITS_WORD + WAIT_COUNT * WAIT_WORDS; word += WAIT_WORDS) {
      if (Atomics.load(m, word + WAIT.owner) <= 0) continue;
      const hash = m[word + WAIT.fromHash];
      const words = noted.get(hash);
      if (words === undefined) noted.set(hash, [word]);
      else words.push(word);
    }
    return noted;
  }

  /** The keys that the loader of the step's key waits for. Takes them out of `noted`: each key is left once in a search. */
  #follow(before: Step, noted: Map<number, number[]>): Step[] {
    const m = this.#words;
    const steps: Step[] = [];
    const others: number[] = [];
    for (const word of noted.get(before.hash) ?? []) {
      if (m[word + WAIT.fromIdentity] !== before.identity) others.push(word);
      else steps.push({ hash: m[word + WAIT.toHash], identity: m[word + WAIT.toIdentity], word, before });
    }
    noted.set(before.hash, others);
    return steps;
  }

  /** Whether all waits on the way to this step are still what they were, and those of live threads. */
  #stands(last: Step): boolean {
    const m = this.#words;
    for (let step: Step = last; step.before !== undefined; step = step.before) {
      const { word } = step;
      const owner = Atomics.load(m, word + WAIT.owner);
      const same =
        owner > 0 &&
        m[word + WAIT.fromHash] === step.before.hash &&
        m[word + WAIT.fromIdentity] === step.before.identity &&
        m[word + WAIT.toHash] === step.hash &&
        m[word + WAIT.toIdentity] === step.identity;
      if (!same || this.#clearIfDead(word, owner)) return false;
    }
    return true;
  }

  #take(): number | undefined {
    const m = this.#words;
    for (let tries = 0; tries < WAIT_COUNT; tries++) {
      const word = wordOf(this.#hint);
      if (m[word + WAIT.owner] === 0 && Atomics.compareExchange(m, word + WAIT.owner, 0, -this.#context.owner) === 0) {
        return word;
      }
      this.#hint = (this.#hint + 1) & (WAIT_COUNT - 1);
    }
    return undefined;
  }

  /** Whether there were any. */
  #clearDead(): boolean {
    let cleared = false;
    for (let index = 0; index < WAIT_COUNT; index++) {
      const word = wordOf(index);
      if (this.#clearIfDead(word, Atomics.load(this.#words, word + WAIT.owner))) cleared = true;
    }
    return cleared;
  }

  #clearIfDead(word: number, owner: number): boolean {
    const thread = Math.abs(owner);
    if (thread === 0 || thread === this.#context.owner || !this.#context.registry.isDead(thread)) return false;
    Atomics.compareExchange(this.#words, word + WAIT.owner, owner, 0);
    return true;
  }
}

const wordOf = (index: number): number => WAITS_WORD + index * WAIT_WORDS;

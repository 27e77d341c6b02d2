import type { Generations } from './generations.js';
import type { Remote } from './remote.js';
import type { RemoteKeys } from './remote-keys.js';
import { REMOVE } from './scripts.js';

/** Keys remembered; with more, everything of the prefix is ended instead. */
const MAX_REPAIRS = 10_000;
const AT_ONCE = 100;

/**
 * Writes that did not reach the remote, or may not have: what they wrote to is removed there as soon as it answers again, so
 * that nobody is served what was overwritten. Until then this member does not read those keys from the remote. The last word
 * on a key wins, so a key is remembered once, and there is a bound on how many are.
 */
export class Repairs {
  /** How many were done. */
  done = 0;
  readonly #remote: Remote;
  readonly #generations: Generations;
  readonly #keys: RemoteKeys;
  readonly #onRepaired: (entry: string) => void;
  /** Names of entries and of generations, with a number that tells a later failure from an earlier. */
  readonly #names = new Map<string, number>();
  #last = 0;
  #everything = 0;
  #isRunning = false;

  constructor(remote: Remote, generations: Generations, keys: RemoteKeys, onRepaired: (entry: string) => void) {
    this.#remote = remote;
    this.#generations = generations;
    this.#keys = keys;
    this.#onRepaired = onRepaired;
  }

  add(name: string): void {
    if (this.#names.size >= MAX_REPAIRS && !this.#names.has(name)) {
      this.#names.clear();
      this.#everything = ++this.#last;
    } else if (this.#everything === 0) {
      this.#names.set(name, ++this.#last);
    }
  }

  /** Whether what the remote has under this name may have been overwritten without its knowing. */
  has(name: string): boolean {
    return this.#everything !== 0 || this.#names.has(name);
  }

  get isEmpty(): boolean {
    return this.#everything === 0 && this.#names.size === 0;
  }

  /** Makes good what it can; the rest when it is called again. */
  async run(): Promise<void> {
    if (this.#isRunning || this.isEmpty || !this.#remote.isUsable) return;
    this.#isRunning = true;
    try {
      if (this.#everything !== 0) await this.#endEverything();
      while (this.#names.size > 0) {
        const batch = [...this.#names].slice(0, AT_ONCE);
        await Promise.all(batch.map(([name, number]) => this.#repair(name, number)));
      }
    } catch {
      // It is gone again: they stay for the next time.
    } finally {
      this.#isRunning = false;
    }
  }

  async #endEverything(): Promise<void> {
    const number = this.#everything;
    await this.#generations.renew(this.#keys.all([]));
    if (this.#everything === number) this.#everything = 0;
    this.done++;
  }

  async #repair(name: string, number: number): Promise<void> {
    if (this.#keys.parse(name)?.kind === 'entry') {
      await this.#remote.runOn(name, REMOVE, ['0']);
      this.#onRepaired(name);
    } else {
      await this.#generations.renew(name);
    }
    if (this.#names.get(name) === number) this.#names.delete(name);
    this.done++;
  }
}

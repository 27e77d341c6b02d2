import type { SharedCache } from '../../index.js';
import { RespError } from './reply.js';

/** Scans that are under way at once; the one that was not continued for longest is forgotten. */
const MAX_SCANS = 128;

/** The cursors of SCAN: each stands for an iteration of this server, and is good for one step. */
export class Scans {
  readonly #running = new Map<string, Iterator<string>>();
  #last = 0;

  /** Up to `count` keys from the cursor on, and the next cursor: '0' at the end. */
  step(cache: SharedCache<unknown>, cursor: string, count: number): { cursor: string; keys: string[] } {
    const keys: string[] = [];
    const running = cursor === '0' ? cache.keys() : this.#running.get(cursor);
    if (running === undefined) throw new RespError('ERR invalid cursor');
    this.#running.delete(cursor);
    while (keys.length < count) {
      const { done, value } = running.next();
      if (done === true) return { cursor: '0', keys };
      keys.push(value);
    }
    const next = `${++this.#last}`;
    this.#running.set(next, running);
    if (this.#running.size > MAX_SCANS) this.#running.delete([...this.#running.keys()][0]);
    return { cursor: next, keys };
  }
}

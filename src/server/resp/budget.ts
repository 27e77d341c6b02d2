/** Who takes memory of the server's, and gives it back when it is ended. */
export interface Holder {
  destroy(): void;
}

/** What a holder takes, and when it last got on. */
interface Share {
  readonly bytes: number;
  readonly since: number;
}

/** Who did not get on for so long is taken for broken. A slow reader is seen to read when the system's buffers are empty again. */
export const STALE_MS = 15_000;

/**
 * Memory that the unfinished commands and unread replies of all clients may take together. Beyond it those that did not get on
 * for long are ended, which finished no command and read no reply; if there is none, the one that asks for more. Who holds less
 * than an equal share for each client is left alone, since little would be gained.
 */
export class Budget {
  readonly #maxBytes: number;
  readonly #shareBytes: number;
  readonly #now: () => number;
  /** The one that has not got on for longest is the first. */
  readonly #held = new Map<Holder, Share>();
  #usedBytes = 0;

  /** `now`: a clock in ms. */
  constructor(maxBytes: number, maxClients: number, now = (): number => performance.now()) {
    this.#maxBytes = maxBytes;
    this.#shareBytes = maxBytes / maxClients;
    this.#now = now;
  }

  /** The holder takes so many bytes now; `gotOn`: it has finished or read something since the last call. */
  hold(holder: Holder, bytes: number, gotOn: boolean): void {
    const before = this.#held.get(holder);
    if (bytes === 0 && before === undefined) return;
    const moves = gotOn || bytes === 0 || before === undefined;
    if (moves) this.#held.delete(holder);
    if (bytes > 0) this.#held.set(holder, { bytes, since: moves ? this.#now() : before.since });
    this.#usedBytes += bytes - (before?.bytes ?? 0);
    if (this.#usedBytes > this.#maxBytes) this.#makeRoom(holder, bytes);
  }

  #makeRoom(asking: Holder, bytes: number): void {
    const broken = this.#now() - STALE_MS;
    for (const [holder, { bytes, since }] of this.#held) {
      if (since > broken) break;
      if (bytes < this.#shareBytes) continue;
      this.#end(holder, bytes);
      if (this.#usedBytes <= this.#maxBytes) return;
    }
    if (bytes >= this.#shareBytes) this.#end(asking, bytes);
  }

  #end(holder: Holder, bytes: number): void {
    if (!this.#held.delete(holder)) return;
    this.#usedBytes -= bytes;
    holder.destroy();
  }
}

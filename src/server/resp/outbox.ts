/** Who has replies to send. */
export interface Sender {
  flush(): void;
}

/** Replies of all clients that may wait together; beyond it they are sent at once. */
const MOST_WAITING_BYTES = 1024 * 1024;

/**
 * Sends the replies to what was read in one turn of the event loop when all of it was run, as Redis does. A reply that is sent
 * alone wakes a sleeping client, which is the dearest part of sending; of many in a row only the first does.
 */
export class Outbox {
  #waiting: Sender[] = [];
  #bytes = 0;

  /** Has the sender flushed at the end of this turn, or sooner. */
  add(sender: Sender): void {
    if (this.#waiting.push(sender) === 1) setImmediate(this.#flush);
  }

  /** So many more bytes wait with those that were added. */
  grow(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MOST_WAITING_BYTES) this.#flush();
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    for (const sender of waiting) sender.flush();
  };
}

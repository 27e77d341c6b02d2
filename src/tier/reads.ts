import type { Remote } from './remote.js';

/** Keys in one command, at most. */
const MOST_KEYS = 32;
/** What the answer to one command may come to, bytes: all of its keys wait for the last octet. */
const ANSWER_BYTES = 65_536;

interface Wanted {
  readonly name: string;
  resolve(octets: unknown): void;
  reject(error: unknown): void;
}

/**
 * Reads of entries. What is wanted in one turn of the event loop is asked for in one command, where one node has all of it:
 * the next key in a command costs a fraction of the next command. How many keys that are follows from how large the last values were.
 */
export class Reads {
  readonly #remote: Remote;
  /** Whether one node has all keys. */
  readonly #isOneNode: boolean;
  #wanted: Wanted[] = [];
  #mostKeys = MOST_KEYS;

  constructor(remote: Remote, isOneNode: boolean) {
    this.#remote = remote;
    this.#isOneNode = isOneNode;
  }

  /** What lies under the name; null for nothing. Rejects with Unreachable. */
  get(name: string): Promise<unknown> {
    if (!this.#isOneNode) return this.#remote.ask((client) => client.get(name));
    return new Promise((resolve, reject) => {
      const count = this.#wanted.push({ name, resolve, reject });
      // After all that goes on in this turn, and before the client sends what it was given in it.
      if (count === 1) process.nextTick(() => this.#ask());
      if (count >= this.#mostKeys) this.#ask();
    });
  }

  #ask(): void {
    const wanted = this.#wanted;
    if (wanted.length === 0) return;
    this.#wanted = [];
    this.#answers(wanted.map(({ name }) => name)).then(
      (answers) => {
        for (const [i, { resolve }] of wanted.entries()) resolve(answers[i]);
      },
      (error: unknown) => {
        for (const { reject } of wanted) reject(error);
      },
    );
  }

  async #answers(names: string[]): Promise<unknown[]> {
    const answers =
      names.length === 1
        ? [await this.#remote.ask((client) => client.get(names[0]))]
        : ((await this.#remote.ask((client) => client.mGet(names))) as unknown[]);
    const bytes = answers.reduce((sum: number, answer) => sum + (Buffer.isBuffer(answer) ? answer.length : 0), 1);
    this.#mostKeys = Math.max(1, Math.min(MOST_KEYS, Math.floor((ANSWER_BYTES * names.length) / bytes)));
    return answers;
  }
}

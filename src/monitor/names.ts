import { describe, SharedCacheError } from '../errors.js';
import { monotonicMs } from '../sync/monotonic.js';
import { HEADER, MAX_NAME_UNITS, NAME } from './layout.js';
import type { MonitorMemory } from './memory.js';
import type { MonitorThreads } from './threads.js';

const SLICE_MS = 2;
const LOCK_TIMEOUT_MS = 5_000;

/**
 * Operation names in shared memory, numbered from 0 in the order they came. Names are only ever added; the count is
 * published last, so a reader needs no lock and an adder that dies leaves nothing.
 */
export class OperationNames {
  readonly #memory: MonitorMemory;
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];

  constructor(memory: MonitorMemory) {
    this.#memory = memory;
  }

  /** All names known to any thread. */
  list(): readonly string[] {
    const { words, layout } = this.#memory;
    const count = Atomics.load(words, HEADER.operationCount);
    for (let number = this.#names.length; number < count; number++) {
      const record = layout.namesWord + number * NAME.words;
      const name = String.fromCharCode(...this.#text(number).slice(0, words[record + NAME.units]));
      this.#names.push(name);
      this.#numbers.set(name, number);
    }
    return this.#names;
  }

  /** Undefined when no thread has used the name. */
  find(name: string): number | undefined {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.list();
    return this.#numbers.get(name);
  }

  /** Finds or adds. Throws ERR_INVALID_ARGUMENT, ERR_TOO_MANY_OPERATIONS, ERR_LOCK_TIMEOUT. */
  number(name: string, threads: () => MonitorThreads): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (typeof name !== 'string' || name.length === 0 || name.length > MAX_NAME_UNITS) {
      throw new SharedCacheError(
        'ERR_INVALID_ARGUMENT',
        `operation must be a string of 1 to ${MAX_NAME_UNITS} UTF-16 units, received ${describe(name)}`,
      );
    }
    return this.find(name) ?? this.#add(name, threads());
  }

  #add(name: string, threads: MonitorThreads): number {
    const { words, layout, dimensions } = this.#memory;
    this.#lock(threads);
    try {
      const found = this.find(name);
      if (found !== undefined) return found;
      const number = this.#names.length;
      if (number >= dimensions.operations) {
        throw new SharedCacheError(
          'ERR_TOO_MANY_OPERATIONS',
          `${dimensions.operations} operation names are in use, ${describe(name)} is one too many; raise the monitor's operations`,
        );
      }
      const text = this.#text(number);
      for (let i = 0; i < name.length; i++) text[i] = name.charCodeAt(i);
      words[layout.namesWord + number * NAME.words + NAME.units] = name.length;
      Atomics.store(words, HEADER.operationCount, number + 1);
      this.list();
      return number;
    } finally {
      Atomics.store(words, HEADER.namesLock, 0);
      Atomics.notify(words, HEADER.namesLock);
    }
  }

  /** A dead holder has either published its name or left nothing: taking over needs no repair. */
  #lock(threads: MonitorThreads): void {
    const { words } = this.#memory;
    const end = monotonicMs() + LOCK_TIMEOUT_MS;
    while (monotonicMs() < end) {
      const holder = Atomics.compareExchange(words, HEADER.namesLock, 0, threads.mark);
      if (holder === 0) return;
      const abandoned = holder === threads.mark || !threads.isMarkAlive(holder);
      if (abandoned && Atomics.compareExchange(words, HEADER.namesLock, holder, threads.mark) === holder) return;
      Atomics.wait(words, HEADER.namesLock, holder, SLICE_MS);
    }
    throw new SharedCacheError(
      'ERR_LOCK_TIMEOUT',
      `the list of operation names stayed locked for ${LOCK_TIMEOUT_MS} ms`,
    );
  }

  #text(number: number): Uint16Array {
    const { buffer, layout } = this.#memory;
    return new Uint16Array(buffer, (layout.namesWord + number * NAME.words + NAME.text) * 4, MAX_NAME_UNITS);
  }
}

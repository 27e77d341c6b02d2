import { setTimeout as timer } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Store } from '../adapters/adapter.js';
import { loadAdapter } from '../adapters/index.js';
import { cachedKeys, freshKey } from '../workloads/keys.js';
import { makeValues, VARIANTS } from '../workloads/values.js';
import { awaitAll } from './barrier.js';
import type { LoadApi, LoadOrder, ThreadRound, Work } from './load-api.js';
import { type Drive, driveAsync, driveSync } from './loops.js';
import { runQueueWaitMs } from './schedstat.js';

/** Keys the correctness check looks at, spread over all. */
const CHECKED_KEYS = 2_000;
/** One checked key in so many gets a second value. */
const CHANGED_EVERY = 4;

/** Gets under way at once while a store is checked. */
const CHECK_BATCH = 250;
/** Operations under way at once while a store is filled, which is not timed. */
const FILL_BATCH = 1024;

/** The state of one load thread; see LoadApi. */
export class Load implements LoadApi {
  #order!: LoadOrder;
  #store!: Store;
  #drive!: Drive;
  #keyOf!: (number: number) => string;
  #values!: readonly unknown[];

  async open(order: LoadOrder): Promise<number> {
    const { setup, seed } = order;
    const adapter = await loadAdapter(order.adapter);
    const startedAt = performance.now();
    this.#store = await adapter.attach(order.handle, setup);
    const attachMs = performance.now() - startedAt;
    this.#order = order;
    const keys = cachedKeys(setup.keys);
    this.#keyOf = (number) => keys[number] as string;
    this.#values = makeValues(setup.kind, setup.valueBytes, seed);
    return attachMs;
  }

  async fill(): Promise<void> {
    const numbers = Array.from({ length: this.#order.setup.keys }, (_, number) => number);
    await this.#setAll(numbers, 0);
  }

  async change(): Promise<void> {
    await this.#setAll(
      this.#checked().filter((_, i) => i % CHANGED_EVERY === 0),
      1,
    );
  }

  async check(changed: boolean): Promise<void> {
    // lmdb reads an older state until a timer it has set has run; timers of one duration run in the order they were set.
    await timer(1);
    const numbers = this.#checked();
    for (let from = 0; from < numbers.length; from += CHECK_BATCH) {
      const batch = numbers.slice(from, from + CHECK_BATCH);
      // Together, so that a store that answers later is asked for many at once.
      const received = await Promise.all(batch.map((number) => this.#store.get(this.#keyOf(number))));
      for (const [i, number] of batch.entries()) {
        const variant = number + (changed && (from + i) % CHANGED_EVERY === 0 ? 1 : 0);
        if (!isSame(this.#values[variant % VARIANTS], received[i]))
          throw new Error(`${this.#order.adapter}: ${this.#keyOf(number)} came back wrong`);
      }
    }
    const absent = await this.#store.get('user:absent:profile');
    if (absent !== undefined) throw new Error(`${this.#order.adapter}: found a key that was never stored`);
  }

  async take({ operations, freshKeys }: Work): Promise<void> {
    const { setup, thread } = this.#order;
    this.#drive = {
      keyOf: freshKeys ? freshKey : this.#keyOf,
      values: this.#values,
      operations,
      position: Math.floor((operations.length / setup.threads) * thread),
    };
  }

  async run(durationMs: number): Promise<ThreadRound> {
    const store = this.#store;
    const { barrier } = this.#order;
    if (barrier !== undefined) awaitAll(barrier);
    const waitedBefore = runQueueWaitMs();
    const counts =
      store.mode === 'sync'
        ? await driveSync(store, this.#drive, durationMs)
        : await driveAsync(store, this.#drive, durationMs);
    const waitedAfter = runQueueWaitMs();
    const waitedMs = waitedBefore === undefined || waitedAfter === undefined ? undefined : waitedAfter - waitedBefore;
    return { ...counts, waitedMs };
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  #checked(): number[] {
    const { keys } = this.#order.setup;
    const count = Math.min(keys, CHECKED_KEYS);
    return Array.from({ length: count }, (_, i) => Math.floor((i * keys) / count));
  }

  async #setAll(numbers: readonly number[], variant: number): Promise<void> {
    const keyOf = this.#keyOf;
    const store = this.#store;
    const valueFor = (number: number): unknown => this.#values[(number + variant) % VARIANTS];
    for (let from = 0; from < numbers.length; from += FILL_BATCH) {
      const batch = numbers.slice(from, from + FILL_BATCH);
      if (store.setMany !== undefined) {
        await store.setMany(batch.map(keyOf), batch.map(valueFor));
      } else if (store.mode === 'async') {
        await Promise.all(batch.map((number) => store.set(keyOf(number), valueFor(number))));
      } else {
        for (const number of batch) store.set(keyOf(number), valueFor(number));
        await store.settle?.(true);
      }
    }
  }
}

/** Some stores give a Uint8Array where a Buffer was put: the bytes are what counts. */
function isSame(wanted: unknown, received: unknown): boolean {
  if (!Buffer.isBuffer(wanted)) return isDeepStrictEqual(received, wanted);
  return received instanceof Uint8Array && wanted.equals(received);
}

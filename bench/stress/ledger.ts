/**
 * What every key's value must be: the ledger that stress threads keep beside the cache.
 *
 * Each key is written by one seat only, and a seat's next thread goes on where a killed one stopped. Around a write the
 * thread stores `intent`, calls the cache, and stores `acknowledged`; a delete counts as a version of its own, with a
 * minus. So at any moment a key holds its acknowledged version or, while a write is under way or its thread was killed in
 * it, the intended one.
 */
export class Ledger {
  readonly buffer: SharedArrayBuffer;
  readonly #acknowledged: Int32Array;
  readonly #intent: Int32Array;

  constructor(keys: number, buffer = new SharedArrayBuffer(keys * 8)) {
    this.buffer = buffer;
    this.#acknowledged = new Int32Array(buffer, 0, keys);
    this.#intent = new Int32Array(buffer, keys * 4, keys);
  }

  /** Begins a write and returns its version. */
  begin(key: number, deletes: boolean): number {
    const version = Math.abs(Atomics.load(this.#intent, key)) + 1;
    Atomics.store(this.#intent, key, deletes ? -version : version);
    return version;
  }

  acknowledge(key: number): void {
    Atomics.store(this.#acknowledged, key, Atomics.load(this.#intent, key));
  }

  acknowledged(key: number): number {
    return Atomics.load(this.#acknowledged, key);
  }

  /**
   * Why reading `version` (0: absent) cannot be right, given the acknowledged version from before the read; undefined
   * when it can. `mayVanish`: entries may be evicted.
   */
  objection(key: number, before: number, version: number, mayVanish: boolean): string | undefined {
    const after = Atomics.load(this.#intent, key);
    if (version === 0) {
      const explained = mayVanish || before <= 0 || after !== before;
      return explained ? undefined : `version ${before} was acknowledged, and the key is absent`;
    }
    if (version < Math.abs(before)) return `version ${before} was acknowledged before version ${version} was read`;
    if (version > Math.abs(after)) return `version ${version} was read, ${after} is the last intended one`;
    if (version === -before && after === before) return `version ${version} was read after its delete was acknowledged`;
    return undefined;
  }
}

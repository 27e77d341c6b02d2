import { onAbort } from './abort.js';
import type { Claim } from './leases.js';
import type { Loaded } from './loaded.js';
import type { NotedWait } from './waits.js';
import type { Work } from './work.js';

/** One load of this thread that callers wait for, and what became of their patience. */
export class Pending {
  /** Of loaders that wait for this load. */
  readonly waits: NotedWait[] = [];
  /** The claim it runs under, once it runs. */
  running: Claim | undefined;
  /** The run of the loader, once it runs. */
  work: Work | undefined;
  #promise: Promise<Loaded> | undefined;
  #callers = 0;
  #isAborted = false;
  /** Made when somebody asks for it: most loaders do not, and it costs as much as the rest of a load. */
  #controller: AbortController | undefined;

  /** Whether every caller has aborted. */
  get isAborted(): boolean {
    return this.#isAborted;
  }

  /** Those that what is loaded will have, as far as the loader has said. */
  get tags(): readonly string[] {
    return this.work?.tags ?? [];
  }

  /** Aborts when every caller has. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Begins the load. Callers have promises of their own, and all of them may have aborted: nobody need hear of a failure. */
  start(load: () => Promise<Loaded>): void {
    this.#promise = load();
    this.#promise.catch(() => {});
  }

  /** What the load comes to, for one more caller: rejects with the signal's reason if that aborts first. */
  join(signal: AbortSignal | undefined, noted: NotedWait | undefined): Promise<Loaded> {
    const promise = this.#promise as Promise<Loaded>;
    this.#callers++;
    if (noted !== undefined) this.waits.push(noted);
    if (signal === undefined) return promise;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        noted?.end();
        reject(signal.reason);
        if (--this.#callers === 0) this.#abort(signal.reason);
      };
      // The loader's first part, which has just run, may have aborted it.
      if (signal.aborted) {
        abort();
        return;
      }
      const forget = onAbort(signal, abort);
      promise.then(resolve, reject).finally(forget);
    });
  }

  #abort(reason: unknown): void {
    this.#isAborted = true;
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }

  endWaits(): void {
    for (const wait of this.waits) wait.end();
  }
}

import { checkTags } from '../arguments.js';
import { toMs } from '../duration.js';
import type { Load, LoaderContext } from './options.js';
import type { LoadTarget } from './target.js';

/** One run of a loader: what it is given, and what it says of its result. */
export class Work {
  readonly context: LoaderContext<unknown>;
  ttl: number;
  tags: readonly string[];
  skipped = false;

  constructor(target: LoadTarget, key: string, load: Load, source: { readonly signal: AbortSignal }) {
    this.ttl = load.ttl;
    this.tags = load.tags;
    const context: LoaderContext<unknown> = {
      get signal() {
        return source.signal;
      },
      setTtl: (ttl) => {
        this.ttl = toMs(ttl);
      },
      setTags: (tags) => {
        this.tags = checkTags(tags);
      },
      skip: () => {
        this.skipped = true;
      },
    };
    this.context = context;
    const old = target.findOld(key, Number.POSITIVE_INFINITY);
    if (old === undefined) return;
    // Decoded once, when it is asked for: a codec that cannot read the old value must not keep the key from being loaded.
    let copy: { readonly value: unknown } | undefined;
    const get = (): unknown => {
      copy ??= { value: target.copyOf(old) };
      return copy.value;
    };
    Object.defineProperty(context, 'stale', { get, enumerable: true, configurable: true });
  }
}

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
    const old = target.findOld(key, Number.POSITIVE_INFINITY);
    this.context = {
      get signal() {
        return source.signal;
      },
      ...(old === undefined ? {} : { stale: target.copyOf(old) }),
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
  }
}

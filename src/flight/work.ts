import { checkTags } from '../arguments.js';
import { toMs } from '../duration.js';
import type { Load, LoaderContext } from './options.js';
import type { LoadTarget } from './target.js';

/** What has a signal, which it makes when it is asked for it. */
interface Source {
  readonly signal: AbortSignal;
}

/** One run of a loader: what it is given, and what it says of its result. */
export class Work {
  readonly context: LoaderContext<unknown>;
  ttl: number;
  tags: readonly string[];
  skipped = false;

  constructor(target: LoadTarget, key: string, load: Load, source: Source) {
    this.ttl = load.ttl;
    this.tags = load.tags;
    const old = load.isOwn ? undefined : target.findOld(key, Number.POSITIVE_INFINITY);
    this.context = new Context(this, source);
    if (old !== undefined) defineStale(this.context, () => target.copyOf(old));
  }
}

/** A class: of objects with getters of their own each has a shape of its own, which costs as much as the rest of a load. */
class Context implements LoaderContext<unknown> {
  readonly setTtl: LoaderContext<unknown>['setTtl'];
  readonly setTags: LoaderContext<unknown>['setTags'];
  readonly skip: LoaderContext<unknown>['skip'];
  readonly #source: Source;

  constructor(work: Work, source: Source) {
    this.#source = source;
    this.setTtl = (ttl) => {
      work.ttl = toMs(ttl);
    };
    this.setTags = (tags) => {
      work.tags = checkTags(tags);
    };
    this.skip = () => {
      work.skipped = true;
    };
  }

  get signal(): AbortSignal {
    return this.#source.signal;
  }
}

/** Decoded once, when it is asked for: a codec that cannot read the old value must not keep the key from being loaded. */
function defineStale(context: LoaderContext<unknown>, decode: () => unknown): void {
  let copy: { readonly value: unknown } | undefined;
  const get = (): unknown => {
    copy ??= { value: decode() };
    return copy.value;
  };
  Object.defineProperty(context, 'stale', { get, enumerable: true, configurable: true });
}

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
    this.context = new Context(this, source, old === undefined ? undefined : { stale: target.copyOf(old) });
  }
}

/** A class: of objects with getters of their own each has a shape of its own, which costs as much as the rest of a load. */
class Context implements LoaderContext<unknown> {
  declare readonly stale?: unknown;
  readonly setTtl: LoaderContext<unknown>['setTtl'];
  readonly setTags: LoaderContext<unknown>['setTags'];
  readonly skip: LoaderContext<unknown>['skip'];
  readonly #source: Source;

  constructor(work: Work, source: Source, old: { stale: unknown } | undefined) {
    this.#source = source;
    if (old !== undefined) this.stale = old.stale;
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

import { newId } from './entry-format.js';
import type { Link } from './link.js';
import type { Near } from './near.js';
import type { Remote } from './remote.js';
import type { RemoteKeys } from './remote-keys.js';
import { GENERATION } from './scripts.js';

/** An unused tag's generation ends after this; what has the tag then is taken for invalidated. */
const TAG_TTL_MS = 30 * 86_400_000;

/**
 * Which entries of the fleet a tag's invalidation, or a clear, has ended, without a list of them and without a clock.
 *
 * A tag, and each keyspace as a whole, has a *generation*: a random name at the remote. An entry keeps those it was begun in,
 * and is dead once one of them is another. To invalidate is to store a new name. One that is not there (evicted, expired,
 * never made) is made anew, which ends what had an older one: too much, never too little. Members keep the names near and are
 * told of new ones as of any other key.
 */
export class Generations {
  readonly #remote: Remote;
  readonly #cache: Near;
  readonly #link: Link;
  readonly #keys: RemoteKeys;
  readonly #unlinkedTtl: number;

  constructor(remote: Remote, near: Near, link: Link, keys: RemoteKeys, unlinkedTtl: number) {
    this.#remote = remote;
    this.#cache = near;
    this.#link = link;
    this.#keys = keys;
    this.#unlinkedTtl = unlinkedTtl;
  }

  /** Of the cache and of every namespace on the path; those near, which may be a moment old. Rejects with Unreachable. */
  ofKeyspaces(path: readonly string[]): Promise<Buffer[]> {
    return Promise.all(this.#spaces(path).map((name) => this.#near(name, '')));
  }

  /** Of the tags, as above. */
  ofTags(path: readonly string[], tags: readonly string[]): Promise<Buffer[]> {
    return Promise.all(tags.map((tag) => this.#near(this.#keys.tag(path, tag), `${TAG_TTL_MS}`)));
  }

  /** Whether these are the generations that are near. */
  areNear(
    path: readonly string[],
    generations: readonly Buffer[],
    tags: readonly (readonly [string, Buffer])[],
  ): boolean {
    const isNear = (name: string, generation: Buffer): boolean =>
      this.#cache.generations.get(name) === generation.toString('hex');
    const spaces = this.#spaces(path);
    return (
      spaces.length === generations.length &&
      spaces.every((name, i) => isNear(name, generations[i])) &&
      tags.every(([tag, generation]) => isNear(this.#keys.tag(path, tag), generation))
    );
  }

  /** Whether these are the generations at the remote; if not, those near are forgotten. Rejects with Unreachable. */
  async areCurrent(
    path: readonly string[],
    generations: readonly Buffer[],
    tags: ReadonlyMap<string, Buffer>,
  ): Promise<boolean> {
    const known = new Map(this.#spaces(path).map((name, i) => [name, generations[i]] as const));
    for (const [tag, generation] of tags) known.set(this.#keys.tag(path, tag), generation);
    const same = await Promise.all(
      [...known].map(async ([name, generation]) => {
        const there = await this.#remote.ask((client) => client.get(name));
        const isSame = Buffer.isBuffer(there) && there.equals(generation);
        if (!isSame) this.#cache.generations.delete(name);
        return isSame;
      }),
    );
    return same.every(Boolean);
  }

  /** Ends what has one of them. Rejects with Unreachable. */
  async renew(name: string): Promise<void> {
    const px = this.#keys.parse(name)?.kind === 'all' ? {} : { PX: TAG_TTL_MS };
    await this.#remote.ask((client) => client.set(name, newId(), px));
    this.#cache.generations.delete(name);
  }

  #spaces(path: readonly string[]): string[] {
    return [[], ...path.map((_, i) => path.slice(0, i + 1))].map((space) => this.#keys.all(space));
  }

  async #near(name: string, px: string): Promise<Buffer> {
    const { generations } = this.#cache;
    const ttl = this.#link.isUp ? Number.POSITIVE_INFINITY : this.#unlinkedTtl;
    const known =
      generations.get(name) ??
      (await generations.loadOwn(name, () => this.#findOrMake(name, px), generations.ownLoad({ ttl })));
    return Buffer.from(known as string, 'hex');
  }

  async #findOrMake(name: string, px: string): Promise<string> {
    const made = newId();
    // A generation that is made here ends nothing here.
    this.#cache.mark(name, made.toString('hex'));
    const there = (await this.#remote.run(GENERATION, [name], [made, px])) as Buffer;
    if (!there.equals(made)) this.#cache.unmark(name);
    return there.toString('hex');
  }
}

import { Namespace } from '../namespace.js';
import type { Session } from '../session.js';
import { ROOT, type Space, spaceInside, tagHashes } from '../table/space.js';

const NAME = 'mooncake-cache/tier';
/** How long a write waits to be told of itself, ms. */
const MARK_TTL_MS = 10_000;
/** A wait for another member ends sooner. */
const WAIT_TTL_MS = 60_000;

/**
 * The local cache as the tier sees it. Its keys are the cache's own and those of its namespaces; each entry also belongs to
 * a *cover*, a hash like that of a namespace, by which everything under it ends at once: what was stored while the link was
 * up, what was stored without it, which nobody else has, and notes for the tier itself. A dump has none of it.
 */
export class Near {
  readonly #session: Session;
  readonly #linked: Space;
  readonly #alone: Space;
  /** The generations of tags and keyspaces, by their remote key, as hexadecimal digits. */
  readonly generations: Namespace<string>;
  /** The id of this machine's last write of a remote key, until it was told of it. */
  readonly #marks: Namespace<string>;
  /** Remote keys for which a load waits. */
  readonly #waits: Namespace<boolean>;

  constructor(session: Session) {
    const { key } = session.open();
    const own = spaceInside(ROOT, NAME, key);
    const cover = (name: string): Space => ({ ...ROOT, hashes: [spaceInside(own, name, key).hashes[1]] });
    this.#session = session;
    this.#linked = cover('linked');
    this.#alone = cover('alone');
    this.generations = this.at([NAME, 'generations'], true) as Namespace<string>;
    // Nothing ends the notes; their cover tells that they are no user's.
    const notes = spaceInside(cover('notes'), NAME, key);
    this.#marks = new Namespace(session, spaceInside(notes, 'marks', key));
    this.#waits = new Namespace(session, spaceInside(notes, 'waits', key));
  }

  /** Ends what came from the remote. */
  dropLinked(): void {
    this.at([], true).clear();
  }

  /** Ends everything of the tier. */
  drop(): void {
    this.at([], true).clear();
    this.at([], false).clear();
  }

  /** The keyspace of the path, for what is stored while the link is up or without it. */
  at(path: readonly string[], isLinked: boolean): Namespace<unknown> {
    return new Namespace(this.#session, this.#space(path, isLinked));
  }

  #space(path: readonly string[], isLinked: boolean): Space {
    const { key } = this.#session.open();
    return path.reduce((space, name) => spaceInside(space, name, key), isLinked ? this.#linked : this.#alone);
  }

  /** The number of the machine's last invalidation: see `isOvertaken`. */
  now(): number {
    return this.#session.open().tags.now();
  }

  /** Whether the machine has heard since that number that one of the tags, or the keyspace, was ended. */
  isOvertaken(path: readonly string[], tags: readonly string[], begun: number): boolean {
    const space = this.#space(path, true);
    const table = this.#session.open();
    return table.tags.haveOvertaken([...space.hashes, ...tagHashes(space, tags, table.key)], begun);
  }

  /** From now on being told of this key may mean the write of this id. */
  mark(remoteKey: string, id: string): void {
    this.#marks.put(remoteKey, id, { ttl: MARK_TTL_MS });
  }

  /** The write that being told of this key may mean. */
  marked(remoteKey: string): string | undefined {
    return this.#marks.get(remoteKey);
  }

  unmark(remoteKey: string): void {
    // Most have none, which takes no lock to see.
    if (this.#marks.has(remoteKey)) this.#marks.delete(remoteKey);
  }

  /** Has `told` end the wait. */
  expect(remoteKey: string): void {
    this.#waits.put(remoteKey, true, { ttl: WAIT_TTL_MS });
  }

  isExpected(remoteKey: string): boolean {
    return this.#waits.has(remoteKey);
  }

  told(remoteKey: string): void {
    this.#waits.delete(remoteKey);
  }
}

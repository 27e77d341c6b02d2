import { checkNamespaceName } from './arguments.js';
import { describe } from './errors.js';
import { Keyspace } from './keyspace.js';
import type { Session } from './session.js';
import { type Space, spaceInside } from './table/space.js';

/**
 * Keys of their own inside of a cache, under a name: no key of one namespace is a key of another or of the cache itself. Its
 * tags are its own too. It shares the cache's memory, bounds, eviction and statistics, and is open as long as the cache is.
 *
 * @typeParam V - The values.
 */
export class Namespace<V = unknown> extends Keyspace<V> {
  /** What it was made with. */
  get name(): string {
    return this.space.path[this.space.path.length - 1];
  }

  /** Live entries of its own, not of namespaces inside of it; walks the whole cache. */
  get size(): number {
    return this.countOwn();
  }

  /** The namespace of this name inside of this one: its keys are its own, and end with this one's clear(). */
  namespace<W = V>(name: string): Namespace<W> {
    return namespaceInside<W>(this.session, this.space, name);
  }

  /** Ends everything in it and in the namespaces inside of it, at once and whatever there is: what is outside stays. */
  clear(): void {
    const { tags } = this.session.open();
    tags.invalidate(this.space.hashes.slice(-1));
  }

  /** One line for util.inspect and console.log, as of the cache: never the memory. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return namespaceLine('Namespace', this.closed, this.space.path);
  }
}

/** What a namespace of any kind looks like: its names, the outermost first. */
export function namespaceLine(kind: string, isClosed: boolean, path: readonly string[]): string {
  return `${kind} { ${isClosed ? 'closed' : path.map(describe).join(' / ')} }`;
}

/** Throws ERR_INVALID_ARGUMENT for a name that is no string, and for too many or too long ones. */
export function namespaceInside<V>(session: Session, outer: Space, name: string): Namespace<V> {
  checkNamespaceName(name);
  return new Namespace<V>(session, spaceInside(outer, name, session.open().key));
}

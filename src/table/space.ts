import type { KeyEncoder } from '../codec/key.js';
import { KEY, NAME, TAG } from '../codec/placed-key.js';
import { SharedCacheError } from '../errors.js';
import { EXTRAS, MAX_PREFIX_BYTES } from '../memory/layout.js';
import { MAX_DEPTH } from './extras.js';

/**
 * A keyspace's place among all keys: the bytes before its keys, `(0xff name)* 0xfe`, and nothing for the cache itself. Two
 * different paths never have one as the beginning of the other, so no key of one keyspace is a key of another.
 */
export interface Space {
  /** Names of the namespaces, the outermost first. */
  readonly path: readonly string[];
  /** The prefix as text: tells spaces apart. */
  readonly id: string;
  /** Before a key; empty for the cache itself. */
  readonly prefix: Uint8Array;
  /** The hash that stands for each level; clear() of a level invalidates it. */
  readonly hashes: readonly number[];
}

export const ROOT: Space = { path: [], id: '', prefix: new Uint8Array(0), hashes: [] };

/** The namespace of this name inside of a keyspace. Throws ERR_INVALID_ARGUMENT when too many or too long. */
export function spaceInside(outer: Space, name: string, key: KeyEncoder): Space {
  const path = [...outer.path, name];
  const levels = levelsOf(outer.prefix);
  // Before it is encoded: it may be longer than a key can be.
  const prefixBytes = levels.length + Buffer.byteLength(name) + 2;
  if (path.length > MAX_DEPTH || prefixBytes > MAX_PREFIX_BYTES) {
    throw new SharedCacheError(
      'ERR_INVALID_ARGUMENT',
      `namespaces may be ${MAX_DEPTH} deep and their names ${MAX_PREFIX_BYTES} bytes long together, received ${path.length} of ${prefixBytes} bytes`,
    );
  }
  key.encode(name);
  const encoded = new Uint8Array(key.words.buffer, 0, key.lengthBytes).slice();
  const level = Buffer.concat([levels, Uint8Array.of(NAME), encoded]);
  const prefix = Buffer.concat([level, Uint8Array.of(KEY)]);
  key.encodeBehind(level, '');
  return { path, id: prefix.toString('latin1'), prefix, hashes: [...outer.hashes, key.hash] };
}

/** What an entry of the keyspace has beside its key and value. */
export function ownBytes({ prefix, hashes }: Space): number {
  return hashes.length === 0 ? 0 : prefix.length + (EXTRAS.headWords + hashes.length) * 4;
}

/** Encodes a key of the keyspace. */
export function encodeIn(space: Space, key: string, encoder: KeyEncoder): void {
  if (space.prefix.length === 0) encoder.encode(key);
  else encoder.encodeBehind(space.prefix, key);
}

const NO_HASHES: readonly number[] = [];

/** Hashes of the user's tags in this keyspace: the same tag in another is another tag. */
export function tagHashes(space: Space, tags: readonly string[], key: KeyEncoder): readonly number[] {
  if (tags.length === 0) return NO_HASHES;
  const prefix = Buffer.concat([levelsOf(space.prefix), Uint8Array.of(TAG)]);
  return tags.map((tag) => {
    key.encodeBehind(prefix, tag);
    return key.hash;
  });
}

/** Whether an encoded key is one of this keyspace's own, and not of a namespace inside of it. */
export function isOwnKey(space: Space, key: Buffer, keyBytes: number): boolean {
  const { prefix } = space;
  if (prefix.length === 0) return keyBytes === 0 || key[0] !== NAME;
  return keyBytes >= prefix.length && key.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}

/**
 * Where an encoded key begins if it is seen from the keyspace: behind the keyspace's own names, at those of namespaces inside
 * of it; -1 when it is outside.
 */
export function insideStart(space: Space, key: Buffer, keyBytes: number): number {
  const levels = Math.max(0, space.prefix.length - 1);
  if (levels === 0) return 0;
  if (keyBytes <= levels || key.compare(space.prefix, 0, levels, 0, levels) !== 0) return -1;
  if (key[levels] === KEY) return levels + 1;
  return key[levels] === NAME ? levels : -1;
}

/** The prefix without its last byte. */
function levelsOf(prefix: Uint8Array): Uint8Array {
  return prefix.subarray(0, Math.max(0, prefix.length - 1));
}

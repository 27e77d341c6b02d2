import { decodeKey } from './key.js';

/**
 * Bytes that WTF-8, the encoding of keys, never has: what separates namespaces cannot be part of a key. A key in namespaces is
 * encoded as `(NAME name)* KEY key`, one of the cache itself as nothing but the key.
 */
export const NAME = 0xff;
export const KEY = 0xfe;
export const TAG = 0xfd;

/** A key, and where it is. */
export interface PlacedKey {
  /** The key in its own namespace. */
  key: string;
  /** The names of the namespaces it is in, the outermost first, from the keyspace that was asked; none for one of its own. */
  namespaces: string[];
}

/** Names and key of an encoded key, as positions: where the names end and the key begins. */
export function keyStart(key: Buffer, keyBytes: number): number {
  if (keyBytes === 0 || key[0] !== NAME) return 0;
  const at = key.indexOf(KEY);
  return at < 0 || at >= keyBytes ? keyBytes : at + 1;
}

/** The encoded names of the prefix of a key, one after the other. */
export function namesOf(key: Buffer, start: number): Buffer[] {
  const names: Buffer[] = [];
  for (let at = 0; at < start && key[at] === NAME; ) {
    let end = at + 1;
    while (end < start && key[end] !== NAME && key[end] !== KEY) end++;
    names.push(key.subarray(at + 1, end));
    at = end;
  }
  return names;
}

/** The key and all names of its namespaces, from an encoded key in private memory. Throws ERR_CORRUPTED. */
export function decodePlacedKey(key: Buffer, keyBytes: number): PlacedKey {
  const start = keyStart(key, keyBytes);
  return {
    key: decodeKey(key, start, keyBytes - start),
    namespaces: namesOf(key, start).map((name) => decodeKey(name, 0, name.length)),
  };
}

import type { ValueKind } from '../adapters/adapter.js';
import { type Random, seededRandom } from './random.js';

/** Different values of one kind; which one a key has first, and which one a write stores, follows from a number. */
export const VARIANTS = 256;

export interface Profile {
  id: number;
  name: string;
  email: string;
  tags: string[];
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .';

function text(length: number, random: Random): string {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = LETTERS.charCodeAt(Math.floor(random() * LETTERS.length));
  return bytes.toString('latin1');
}

function profile(id: number, random: Random): Profile {
  const word = (): string => text(6, random);
  return { id, name: word(), email: `${word()}@example.org`, tags: [word(), word(), word()] };
}

function bytes(length: number, random: Random): Buffer {
  // Of its own memory: a slice of Node's pool would be cloned with the whole pool.
  const buffer = Buffer.from(new ArrayBuffer(length));
  for (let i = 0; i < length; i++) buffer[i] = Math.floor(random() * 256);
  return buffer;
}

/** The bytes of a value of this kind in the standard workloads. */
export const STANDARD_BYTES: Readonly<Record<ValueKind, number>> = { str: 100, json: 112, buf: 4096 };

/** The same values for the same seed, in every thread. */
export function makeValues(kind: ValueKind, valueBytes: number, seed: number, count = VARIANTS): readonly unknown[] {
  const random = seededRandom(seed);
  const make = (id: number): unknown => {
    switch (kind) {
      case 'str':
        return text(valueBytes, random);
      case 'json':
        return profile(id, random);
      case 'buf':
        return bytes(valueBytes, random);
    }
  };
  return Array.from({ length: count }, (_, i) => make(i));
}

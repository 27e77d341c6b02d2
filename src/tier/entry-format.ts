/**
 * An entry as it lies at the remote:
 *
 *   'MC' │ version u8 │ kind u8 │ id, 8 bytes │ expires f64 │ lengthBytes u32 │ crc32 u32 │ keyspaces u8 │ tags u8
 *   per keyspace: generation, 8 bytes │ per tag: length u16, text, generation, 8 bytes │ the value, as the local cache has it
 *
 * Little-endian; `expires` is in ms of the remote's clock, Infinity for never; the id tells this write from every other. The
 * checksum is that of the value; a number has none, since the remote itself adds to it (see scripts.ts).
 */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ValueKind } from '../codec/kinds.js';

/** A generation's name, or a write's: 8 random bytes. */
export const ID_BYTES = 8;
/** Where an entry's id begins, as the scripts and the tracker know it. */
export const ID_START = 4;
const EXPIRES = 12;
const LENGTH = 20;
const CHECKSUM = 24;
const COUNTS = 28;
const HEAD_BYTES = 30;
const NUMBER_BYTES = 8;
const VERSION = 1;
const MAGIC = Buffer.from([0x4d, 0x43, VERSION]);
/** How a number begins. */
export const NUMBER_HEAD: Buffer = Buffer.concat([MAGIC, Buffer.of(ValueKind.float64)]);

export interface RemoteEntry {
  /** Of this write. */
  readonly id: Buffer;
  /** ms of the remote's clock. */
  readonly expires: number;
  /** Those of the keyspaces it is in, the outermost first, when it was begun. */
  readonly generations: readonly Buffer[];
  /** Its tags, with the generation of each. */
  readonly tags: readonly (readonly [string, Buffer])[];
  readonly kind: number;
  readonly bytes: Uint8Array;
}

export const newId = (): Buffer => randomBytes(ID_BYTES);

export function encodeEntry({ id, expires, generations, tags, kind, bytes }: RemoteEntry): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head[3] = kind;
  id.copy(head, ID_START);
  head.writeDoubleLE(expires, EXPIRES);
  head.writeUInt32LE(bytes.length, LENGTH);
  head.writeUInt32LE(kind === ValueKind.float64 ? 0 : crc32(bytes), CHECKSUM);
  head[COUNTS] = generations.length;
  head[COUNTS + 1] = tags.length;
  return Buffer.concat([head, ...generations, ...tags.flatMap(encodeTag), bytes]);
}

/** What lies there; undefined when it is no entry, or a damaged one. */
export function decodeEntry(buffer: Buffer): RemoteEntry | undefined {
  const head = decodeHead(buffer);
  if (head === undefined) return undefined;
  const { start, ...entry } = head;
  const bytes = buffer.subarray(start);
  if (bytes.length !== buffer.readUInt32LE(LENGTH)) return undefined;
  const checksum = entry.kind === ValueKind.float64 ? 0 : crc32(bytes);
  return checksum === buffer.readUInt32LE(CHECKSUM) ? { ...entry, bytes } : undefined;
}

/** All but the value, of which not everything has to be there. */
export function decodeHead(buffer: Buffer): (Omit<RemoteEntry, 'bytes'> & { start: number }) | undefined {
  if (buffer.length < HEAD_BYTES || buffer.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) return undefined;
  let at = HEAD_BYTES;
  const next = (count: number): Buffer => {
    at += count;
    return buffer.subarray(at - count, at);
  };
  const generations = Array.from({ length: buffer[COUNTS] }, () => next(ID_BYTES));
  const tags: [string, Buffer][] = [];
  for (let i = 0; i < buffer[COUNTS + 1]; i++) {
    if (at + 2 > buffer.length) return undefined;
    const length = next(2).readUInt16LE();
    tags.push([next(length).toString('utf16le'), next(ID_BYTES)]);
  }
  if (at > buffer.length) return undefined;
  const expires = buffer.readDoubleLE(EXPIRES);
  if (Number.isNaN(expires)) return undefined;
  return { id: buffer.subarray(ID_START, EXPIRES), expires, generations, tags, kind: buffer[3], start: at };
}

/** The id of what lies there, whatever it is. */
export function idIn(octets: Buffer): Buffer {
  return octets.subarray(ID_START, ID_START + ID_BYTES);
}

/** Whether a number lies there. */
export function isNumber(octets: Buffer): boolean {
  return octets.compare(NUMBER_HEAD, 0, NUMBER_HEAD.length, 0, NUMBER_HEAD.length) === 0;
}

/** Keyspaces and tags of the number that lies there: what tells an increment that nothing has ended it. */
export function sectionOfNumber(octets: Buffer): Buffer {
  return octets.subarray(COUNTS, octets.length - NUMBER_BYTES);
}

/** That of a number without tags. */
export function untaggedSection(generations: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(generations.length, 0), ...generations]);
}

function encodeTag([tag, generation]: readonly [string, Buffer]): Buffer[] {
  const text = Buffer.from(tag, 'utf16le');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  return [length, text, generation];
}

/**
 * The frame of a dump file: header, blocks, closing block. docs/dump-format.md describes it for others; every number is
 * little-endian.
 *
 *   header    ┌──────────┬─────────┬────────────┬──────────────────────────────┬───────────┐
 *             │ MOONDUMP │ version │ text bytes │ JSON: { created, codec }     │ CRC-32    │
 *             └──────────┴─────────┴────────────┴──────────────────────────────┴───────────┘
 *   block     ┌──────┬────────────┬─────────┬───────────────┬─────────┬──────────┬─────────────┐
 *             │ BLCK │ generation │ entries │ payload bytes │ its CRC │ head CRC │ payload     │
 *             └──────┴────────────┴─────────┴───────────────┴─────────┴──────────┴─────────────┘
 *   closing   ┌──────┬────────┬─────────────┬────────────┬────────┐
 *   block     │ DONE │ blocks │ entries f64 │ bytes f64  │ CRC-32 │
 *             └──────┴────────┴─────────────┴────────────┴────────┘
 */
import { crc32 } from 'node:zlib';

export const VERSION = 1;
/** Longest text of a header that is believed. */
export const MAX_HEADER_TEXT_BYTES = 4096;
export const HEADER_PREFIX_BYTES = 16;
export const BLOCK_HEAD_BYTES = 24;
export const CLOSING_BYTES = 28;
/** Most bytes of a block's payload that holds more than one entry. */
export const MAX_SHARED_PAYLOAD_BYTES = 32 * 1024;
/** Whether an entry of so many bytes has a block of its own. */
export const isLarge = (payloadBytes: number): boolean => payloadBytes > MAX_SHARED_PAYLOAD_BYTES;
/** How finely recency is told: generation 0 was used longest ago. */
export const GENERATIONS = 128;

const MAGIC = Buffer.from('MOONDUMP', 'latin1');
const BLOCK_MARK = Buffer.from('BLCK', 'latin1').readUInt32LE();
const CLOSING_MARK = Buffer.from('DONE', 'latin1').readUInt32LE();

/** What a file says of itself. */
export interface Header {
  /** ms since 1970. */
  created: number;
  /** Whether objects are in the form of a codec of the user's. */
  codec: 'default' | 'custom';
}

export interface BlockHead {
  generation: number;
  entries: number;
  payloadBytes: number;
  checksum: number;
}

export interface Totals {
  blocks: number;
  entries: number;
  /** Bytes of the file before the closing block. */
  bytes: number;
}

export function encodeHeader(header: Header): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.alloc(HEADER_PREFIX_BYTES + text.length + 4);
  MAGIC.copy(bytes);
  bytes.writeUInt32LE(VERSION, 8);
  bytes.writeUInt32LE(text.length, 12);
  text.copy(bytes, HEADER_PREFIX_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}

/** Bytes of the whole header that begins so, or what is wrong with it. */
export function headerBytes(prefix: Buffer): number | string {
  if (prefix.length < HEADER_PREFIX_BYTES || prefix.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0)
    return 'it is no dump of a cache';
  const version = prefix.readUInt32LE(8);
  if (version !== VERSION) return `it is a dump of version ${version}, this library reads version ${VERSION}`;
  const textBytes = prefix.readUInt32LE(12);
  return textBytes > MAX_HEADER_TEXT_BYTES ? 'its header is damaged' : HEADER_PREFIX_BYTES + textBytes + 4;
}

/** The whole header's content, undefined when it is damaged. */
export function decodeHeader(bytes: Buffer): Header | undefined {
  if (crc32(bytes.subarray(0, -4)) !== bytes.readUInt32LE(bytes.length - 4)) return undefined;
  try {
    const { created, codec } = JSON.parse(bytes.toString('utf8', HEADER_PREFIX_BYTES, bytes.length - 4)) as Header;
    return Number.isFinite(created) && (codec === 'default' || codec === 'custom') ? { created, codec } : undefined;
  } catch {
    return undefined;
  }
}

/** Fills in the head of a block whose payload follows it up to the end of `block`. */
export function sealBlock(block: Buffer, generation: number, entries: number): void {
  block.writeUInt32LE(BLOCK_MARK, 0);
  block.writeUInt32LE(generation, 4);
  block.writeUInt32LE(entries, 8);
  block.writeUInt32LE(block.length - BLOCK_HEAD_BYTES, 12);
  block.writeUInt32LE(crc32(block.subarray(BLOCK_HEAD_BYTES)), 16);
  block.writeUInt32LE(crc32(block.subarray(0, 20)), 20);
}

/** The head in these bytes; undefined when it is none, or damaged. */
export function decodeBlockHead(bytes: Buffer): BlockHead | undefined {
  if (bytes.length < BLOCK_HEAD_BYTES || bytes.readUInt32LE(0) !== BLOCK_MARK) return undefined;
  if (crc32(bytes.subarray(0, 20)) !== bytes.readUInt32LE(20)) return undefined;
  const head = {
    // A writer with finer ones loses nothing but that.
    generation: Math.min(bytes.readUInt32LE(4), GENERATIONS - 1),
    entries: bytes.readUInt32LE(8),
    payloadBytes: bytes.readUInt32LE(12),
    checksum: bytes.readUInt32LE(16),
  };
  return !isLarge(head.payloadBytes) || head.entries === 1 ? head : undefined;
}

export const isWhole = (payload: Buffer, { checksum }: BlockHead): boolean => crc32(payload) === checksum;

export function encodeClosing({ blocks, entries, bytes: length }: Totals): Buffer {
  const bytes = Buffer.alloc(CLOSING_BYTES);
  bytes.writeUInt32LE(CLOSING_MARK, 0);
  bytes.writeUInt32LE(blocks, 4);
  bytes.writeDoubleLE(entries, 8);
  bytes.writeDoubleLE(length, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 24)), 24);
  return bytes;
}

/** The closing block in these bytes; undefined when it is none, or damaged. */
export function decodeClosing(bytes: Buffer): Totals | undefined {
  if (bytes.length < CLOSING_BYTES || bytes.readUInt32LE(0) !== CLOSING_MARK) return undefined;
  if (crc32(bytes.subarray(0, 24)) !== bytes.readUInt32LE(24)) return undefined;
  return { blocks: bytes.readUInt32LE(4), entries: bytes.readDoubleLE(8), bytes: bytes.readDoubleLE(16) };
}

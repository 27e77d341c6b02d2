/**
 * Reads an LLM request trace in Mooncake's open format: JSON lines, plain or gzip, one request a line. `hash_ids` names
 * the blocks of its prompt in order (512 tokens each); two requests with the same leading ids share that prefix.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputError, systemReason } from '../errors.js';

/** The blocks of one request's prompt, as cache keys. */
export type TraceRequest = readonly string[];

/** The two bytes every gzip file begins with. */
const GZIP_MAGIC = [0x1f, 0x8b];

/** @throws InputError that names the file, and the line where there is one */
export async function readTrace(file: string): Promise<TraceRequest[]> {
  const requests: TraceRequest[] = [];
  let line = 0;
  try {
    for await (const text of linesOf(file, await isGzip(file))) {
      line += 1;
      if (text.trim() !== '') requests.push(parseLine(text, `${file}:${line}`));
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${file}: ${readFailure(error, line)}`);
  }
  if (requests.length === 0) throw new InputError(`${file}: no requests in it`);
  return requests;
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(GZIP_MAGIC.length), 0, GZIP_MAGIC.length, 0);
    return GZIP_MAGIC.every((byte, index) => buffer[index] === byte);
  } finally {
    await handle.close();
  }
}

async function* linesOf(file: string, gzip: boolean): AsyncGenerator<string> {
  // readline ends quietly when its input fails, so the failure is kept here and thrown at the end.
  let failure: Error | undefined;
  const keep = (error: Error | null | undefined): void => {
    failure = error ?? undefined;
  };
  const raw = createReadStream(file);
  const input = gzip ? pipeline(raw, createGunzip(), keep) : raw.on('error', keep);
  yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  if (failure !== undefined) throw failure;
}

function parseLine(text: string, place: string): TraceRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(`${place}: not a JSON object: ${excerpt(text)}`);
  }
  const ids = typeof value === 'object' && value !== null ? (value as { hash_ids?: unknown }).hash_ids : undefined;
  if (!Array.isArray(ids)) throw new InputError(`${place}: no hash_ids array: ${excerpt(text)}`);
  const bad = ids.find((id) => !Number.isSafeInteger(id) && typeof id !== 'string');
  if (bad !== undefined) throw new InputError(`${place}: hash_ids holds ${JSON.stringify(bad)}, which is no block id`);
  return ids.map(String);
}

function excerpt(text: string): string {
  return JSON.stringify(text.length <= 40 ? text : `${text.slice(0, 40)}…`);
}

function readFailure(error: unknown, line: number): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') return `the gzip data ends too early, after line ${line}`;
  if (code?.startsWith('Z_')) return `damaged gzip data after line ${line}`;
  return systemReason(error);
}

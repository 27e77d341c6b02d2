import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Requests by number of key, and the keys' names. */
export interface Trace {
  readonly name: string;
  readonly requests: Int32Array;
  readonly keys: readonly string[];
}

/** One key a line, gzipped or not. */
export function readTrace(file: string): Trace {
  const numbers = new Map<string, number>();
  const lines = readLines(file);
  const requests = new Int32Array(lines.length);
  lines.forEach((key, i) => {
    let number = numbers.get(key);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(key, number);
    }
    requests[i] = number;
  });
  return { name: basename(file).replace(/\.txt(\.gz)?$/, ''), requests, keys: [...numbers.keys()] };
}

/** One JSON object a line, of which `hash_ids` are the request's blocks in order. */
export function readBlockRequests(file: string): string[][] {
  return readLines(file).map((line) => {
    const { hash_ids: ids } = JSON.parse(line) as { hash_ids: number[] };
    return ids.map(String);
  });
}

/** 40,000 requests for keys hardly ever asked for again, 100,000 of a loop over 1.25 times the capacity, and 40,000 again. */
export function regimeChange(entries: number): Trace {
  const passing = 40_000;
  const loopKeys = Math.round(entries * 1.25);
  const rounds = Math.round(100_000 / loopKeys);
  const keyCount = loopKeys + 2 * passing;
  const requests: number[] = [];
  const pass = (first: number): void => {
    // Every sixteenth request repeats one of the eight before it.
    for (let i = 0; i < passing; i++) requests.push(first + (i % 16 === 15 ? i - 1 - ((i >> 4) % 8) : i));
  };
  pass(loopKeys);
  for (let i = 0; i < rounds * loopKeys; i++) requests.push(i % loopKeys);
  pass(loopKeys + passing);
  return {
    name: 'regime-change',
    requests: Int32Array.from(requests),
    keys: Array.from({ length: keyCount }, (_, i) => `k${i}`),
  };
}

function readLines(file: string): string[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import type { Host, Setup, ValueKind } from './adapter.js';
import { memoryDirectory } from './directory.js';

const ENCODING = { str: 'string', json: 'msgpack', buf: 'binary' } as const satisfies Record<ValueKind, string>;

export function hostDirectory(): Host {
  const { path, remove } = memoryDirectory('bench-lmdb-');
  return { handle: () => ({ value: path }), close: remove };
}

/** All durability off, as a cache needs none. */
export function openStore(path: string, { kind, keys, valueBytes }: Setup): RootDatabase<unknown, string> {
  return open<unknown, string>({
    path: join(path, 'data.mdb'),
    encoding: ENCODING[kind],
    noSync: true,
    noMemInit: true,
    maxReaders: 126,
    mapSize: Math.max(256 * 2 ** 20, keys * (valueBytes + 512) * 4),
  });
}

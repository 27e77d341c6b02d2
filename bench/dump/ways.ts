import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import v8 from 'node:v8';
import { open } from 'lmdb';
import { LRUCache } from 'lru-cache';
import type { SharedCache } from '../../src/index.js';
import { createCache } from '../costs/caches.js';

/** One way to bring a cache to a file and back. */
export interface Way {
  readonly name: string;
  store(): Promise<void> | void;
  /** Into an empty cache, which is returned so that nobody leaves the work out; undefined where the file is the cache. */
  readonly load: (() => Promise<unknown> | unknown) | undefined;
  close(): Promise<void> | void;
}

export const OWN = 'mooncake';
export const BASE = 'v8.serialize of a Map';

/** Its dump() puts each entry in front of an array, which takes minutes for a million. */
export const LRU_MOST_ENTRIES = 100_000;

/** Every way that can, holding the same entries. */
export async function allWays(
  entries: ReadonlyMap<string, string>,
  valueBytes: number,
  folder: string,
): Promise<Way[]> {
  return [
    ownWay(entries, valueBytes, join(folder, 'own')),
    v8Way(entries, join(folder, 'v8')),
    ...(entries.size > LRU_MOST_ENTRIES ? [] : [lruWay(entries, join(folder, 'lru'))]),
    await lmdbWay(entries, folder),
  ];
}

function ownWay(entries: ReadonlyMap<string, string>, valueBytes: number, file: string): Way {
  const empty = (): SharedCache<string> => createCache<string>(entries.size, valueBytes, { sweep: false });
  const cache = empty();
  cache.putMany(entries);
  return {
    name: OWN,
    store: async () => {
      await cache.dump(file);
    },
    load: async () => {
      using loaded = empty();
      const report = await loaded.load(file);
      if (report.entries !== entries.size) throw new Error(`${report.entries} of ${entries.size} came back`);
    },
    close: () => cache.close(),
  };
}

function v8Way(entries: ReadonlyMap<string, string>, file: string): Way {
  const map = new Map(entries);
  return {
    name: BASE,
    store: () => writeFileSync(file, v8.serialize(map)),
    load: () => v8.deserialize(readFileSync(file)),
    close: () => {},
  };
}

function lruWay(entries: ReadonlyMap<string, string>, file: string): Way {
  const empty = (): LRUCache<string, string> => new LRUCache<string, string>({ max: entries.size });
  const cache = empty();
  for (const [key, value] of entries) cache.set(key, value);
  return {
    name: 'lru-cache dump() as JSON',
    store: () => writeFileSync(file, JSON.stringify(cache.dump())),
    load: () => {
      const loaded = empty();
      loaded.load(JSON.parse(readFileSync(file, 'utf8')));
      return loaded;
    },
    close: () => cache.clear(),
  };
}

async function lmdbWay(entries: ReadonlyMap<string, string>, folder: string): Promise<Way> {
  const database = open<string, string>({
    path: join(folder, 'lmdb', 'data.mdb'),
    encoding: 'string',
    noSync: true,
    mapSize: 2 ** 30,
  });
  await database.transaction(() => {
    for (const [key, value] of entries) database.put(key, value);
  });
  const copy = join(folder, 'lmdb-copy');
  return {
    name: 'lmdb backup()',
    store: async () => {
      rmSync(copy, { recursive: true, force: true });
      mkdirSync(copy);
      await database.backup(join(copy, 'data.mdb'), false);
    },
    load: undefined,
    close: () => database.close(),
  };
}

import type { Adapter } from './adapter.js';

/** Loaded by name, so that a load thread compiles its own adapter and no other. */
const LOADERS: Readonly<Record<string, () => Promise<{ adapter: Adapter }>>> = {
  mooncake: () => import('./mooncake.js'),
  'mooncake frozen': () => import('./mooncake-frozen.js'),
  map: () => import('./map.js'),
  'lru-cache': () => import('./lru-cache.js'),
  'lmdb putSync': () => import('./lmdb-sync.js'),
  'lmdb batched': () => import('./lmdb-batched.js'),
  sharedmap: () => import('./sharedmap.js'),
  'owner batched': () => import('./owner-batched.js'),
  'owner comlink': () => import('./owner-comlink.js'),
  redis: () => import('./redis.js'),
};

export const ADAPTER_NAMES: readonly string[] = Object.keys(LOADERS);

export async function loadAdapter(name: string): Promise<Adapter> {
  const load = LOADERS[name];
  if (load === undefined) throw new Error(`no adapter ${name}; known are ${ADAPTER_NAMES.join(', ')}`);
  return (await load()).adapter;
}

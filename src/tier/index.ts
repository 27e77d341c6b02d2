export { TieredKeyspace } from './keyspace.js';
export type { RemoteStats } from './member.js';
export type { RemoteOptions, RemoteServer, TieredCacheOptions } from './options.js';
export { TieredCache, TieredNamespace, type TierStats, type TierStatus } from './tiered-cache.js';

import { nextCacheHandler } from 'mooncake-cache/adapters/next';
import { options } from './cache-options.mjs';

export default nextCacheHandler(options);

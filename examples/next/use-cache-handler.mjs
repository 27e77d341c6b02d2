import { nextUseCacheHandler } from 'mooncake-cache/adapters/next';
import { options } from './cache-options.mjs';

export default nextUseCacheHandler(options);

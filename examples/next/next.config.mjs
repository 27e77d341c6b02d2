import { fileURLToPath } from 'node:url';

const fileOf = (name) => fileURLToPath(new URL(name, import.meta.url));

export default {
  cacheHandler: fileOf('cache-handler.mjs'),
  cacheHandlers: { default: fileOf('use-cache-handler.mjs') },
  cacheComponents: true,
  // Next keeps nothing in each process besides.
  cacheMaxMemorySize: 0,
  images: { customCacheHandler: true },
};

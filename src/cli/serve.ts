import { readFileSync } from 'node:fs';
import { SharedCache, SharedCacheError } from '../index.js';
import { createServer } from '../server/index.js';
import type { Call } from './command-line.js';
import { codecOf, openCache } from './open.js';
import { report } from './print.js';
import { UsageError } from './usage.js';

/** Serves the cache at a path, or one of its own, until a signal comes. */
export async function serve(call: Call): Promise<void> {
  const [path] = call.words;
  const [size, http, resp, tokenFile] = ['size', 'http', 'resp', 'token-file'].map(call.text);
  if ((path === undefined) === (size === undefined)) throw new UsageError('serve takes either PATH or --size');
  if (http === undefined && resp === undefined)
    throw new UsageError('serve takes --http ADDRESS, --resp ADDRESS or both');
  const token = tokenFile === undefined ? undefined : readFileSync(tokenFile, 'utf8').trim();
  const cache =
    size === undefined
      ? await openCache(path, call)
      : await asUsage(async () => new SharedCache<unknown>({ maxBytes: size, codec: await codecOf(call) }));
  try {
    const server = await asUsage(() => createServer({ cache, http, resp, token, reusePort: call.has('reuse-port') }));
    report(server.addresses, call.isJson);
    await new Promise<void>((resolve) => {
      process.once('SIGINT', resolve);
      process.once('SIGTERM', resolve);
    });
    await server.close();
  } finally {
    cache.close();
  }
}

/** An option that is refused was on the command line. */
async function asUsage<T>(body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof SharedCacheError && error.code === 'ERR_INVALID_OPTION') throw new UsageError(error.message);
    throw error;
  }
}

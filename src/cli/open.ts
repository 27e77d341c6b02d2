import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Codec, SharedCache } from '../index.js';
import type { Call } from './command-line.js';
import { UsageError } from './usage.js';

/** The cache at the path. Who only looks makes none, and discards none. */
export async function openCache(path: string, call: Call): Promise<SharedCache<unknown>> {
  return SharedCache.open<unknown>(path, { mustExist: true, codec: await codecOf(call) });
}

/** What --codec names. Throws UsageError when it is none. */
export async function codecOf(call: Call): Promise<Codec | undefined> {
  const file = call.text('codec');
  if (file === undefined) return undefined;
  const { default: codec } = await loaded(file);
  if (isCodec(codec)) return codec;
  throw new UsageError('--codec must be a module whose default export has the functions encode and decode.');
}

async function loaded(file: string): Promise<{ default?: unknown }> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
  } catch (error) {
    throw new UsageError(`--codec cannot be loaded: ${error instanceof Error ? error.message : error}.`);
  }
}

function isCodec(value: unknown): value is Codec {
  if (typeof value !== 'object' || value === null) return false;
  const { encode, decode } = value as Partial<Codec>;
  return typeof encode === 'function' && typeof decode === 'function';
}

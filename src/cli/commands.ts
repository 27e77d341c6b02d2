import type { Namespace, SharedCache, SnapshotOptions } from '../index.js';
import type { Call } from './command-line.js';
import { printKeys } from './keys.js';
import { openCache } from './open.js';
import { print, report } from './print.js';
import { Progress } from './progress.js';
import { top } from './top.js';
import { printedValue, shownValue } from './value.js';

type Cache = SharedCache<unknown>;

/** Runs a command; the exit code. */
export async function runCommand(call: Call): Promise<number> {
  if (call.name === 'serve') {
    // The servers take as long to load as all the rest.
    const { serve } = await import('./serve.js');
    await serve(call);
    return 0;
  }
  const cache = await openCache(call.words[0], call);
  try {
    return await onCache(cache, call);
  } finally {
    cache.close();
  }
}

async function onCache(cache: Cache, call: Call): Promise<number> {
  const { words, isJson } = call;
  const [path, word] = words;
  const keyspace = call
    .texts('namespace')
    .reduce<Cache | Namespace<unknown>>((outer, name) => outer.namespace(name), cache);
  switch (call.name) {
    case 'stats':
      report(cache.getStats(), isJson);
      return 0;
    case 'top':
      await top(path, cache, call);
      return 0;
    case 'keys':
      printKeys(keyspace, call);
      return 0;
    case 'get':
      printValue(keyspace.peek(word), word, isJson);
      return 0;
    case 'delete': {
      const deleted = keyspace.delete(word);
      report({ deleted }, isJson);
      return deleted ? 0 : 1;
    }
    case 'clear':
      keyspace.clear();
      report({ cleared: true }, isJson);
      return 0;
    case 'inspect': {
      const { ok, problems } = cache.inspect();
      report({ ok, problems }, isJson);
      return ok ? 0 : 1;
    }
    case 'dump':
      report(await showing('dump', (options) => keyspace.dump(word, options)), isJson);
      return 0;
    default: {
      const loaded = await showing('load', (options) => keyspace.load(word, options));
      report(loaded, isJson);
      return loaded.damaged === undefined ? 0 : 1;
    }
  }
}

/** Shows on stderr how far the work has come, if it takes long. */
async function showing<T>(what: string, work: (options: SnapshotOptions) => Promise<T>): Promise<T> {
  const progress = new Progress(what, process.stderr);
  try {
    return await work({ onProgress: progress.onProgress });
  } finally {
    progress.stop();
  }
}

function printValue(value: unknown, key: string, isJson: boolean): void {
  if (value === undefined) throw new Error('there is no live entry under this key');
  if (isJson) print(JSON.stringify({ key, ...shownValue(value) }));
  else process.stdout.write(printedValue(value));
}

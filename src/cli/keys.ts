import type { Namespace, PlacedKey, SharedCache } from '../index.js';
import type { Call } from './command-line.js';
import { onOneLine, print } from './print.js';

/** Prints the keys of a keyspace; with `--all` those of the namespaces inside of it too, each with its namespace. */
export function printKeys(keyspace: SharedCache<unknown> | Namespace<unknown>, call: Call): void {
  const most = call.number('limit', Number.POSITIVE_INFINITY);
  const prefix = call.text('prefix') ?? '';
  const isPlaced = call.has('all');
  let printed = 0;
  for (const placed of isPlaced ? keyspace.allKeys() : own(keyspace.keys())) {
    if (printed >= most) break;
    if (!placed.key.startsWith(prefix)) continue;
    const namespaces = [...call.texts('namespace'), ...placed.namespaces];
    if (!isPlaced) print(call.isJson ? JSON.stringify(placed.key) : onOneLine(placed.key));
    else print(call.isJson ? JSON.stringify({ key: placed.key, namespaces }) : lineOf(placed.key, namespaces));
    printed++;
  }
}

function* own(keys: Iterable<string>): Generator<PlacedKey> {
  for (const key of keys) yield { key, namespaces: [] };
}

/** The key, and behind a tab the names of its namespaces. A key with a tab in it is quoted. */
function lineOf(key: string, namespaces: readonly string[]): string {
  const names = namespaces.map(onOneLine).join('/');
  return names === '' ? onOneLine(key) : `${onOneLine(key)}\t${names}`;
}

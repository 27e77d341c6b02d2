import { types } from 'node:util';

/** Stable machine-readable reasons; messages may be reworded, codes never change. */
export type ErrorCode =
  | 'ERR_INVALID_KEY'
  | 'ERR_INVALID_VALUE'
  | 'ERR_INVALID_TTL'
  | 'ERR_INVALID_OPTION'
  | 'ERR_INVALID_ARGUMENT'
  | 'ERR_INVALID_HANDLE'
  | 'ERR_CLOSED'
  | 'ERR_CORRUPTED'
  | 'ERR_LOCK_TIMEOUT'
  | 'ERR_TOO_MANY_THREADS'
  | 'ERR_TOO_MANY_OPERATIONS'
  | 'ERR_RECURSIVE_LOAD'
  | 'ERR_NO_LIVENESS'
  | 'ERR_NO_MAPPING'
  | 'ERR_UNSUPPORTED_PLATFORM'
  | 'ERR_INVALID_FILE'
  | 'ERR_NO_SPACE'
  | 'ERR_MODULE_MISSING'
  | 'ERR_NO_WORKER'
  | 'ERR_WRITE_FAILED'
  | 'ERR_LISTEN_FAILED'
  | 'ERR_REMOTE_REFUSED'
  | 'ERR_REMOTE_UNAVAILABLE';

/** The only error class this library throws on its own account. */
export class SharedCacheError extends Error {
  /** Tells it from other errors where `instanceof` cannot, as after a trip between threads. */
  override readonly name = 'SharedCacheError';
  /** Why, in a form for programs. */
  readonly code: ErrorCode;

  /** For the library itself. */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** ERR_CLOSED for a cache that this thread has closed. */
export function closedHere(): SharedCacheError {
  return new SharedCacheError(
    'ERR_CLOSED',
    'this cache was closed in this thread; SharedCache.attach(handle) opens it again',
  );
}

/** A short, safe rendering of a rejected argument for error messages; never calls user code. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    return value.length <= 40
      ? JSON.stringify(value)
      : `${JSON.stringify(value.slice(0, 40))}… (${value.length} characters)`;
  }
  if (value === null || value === undefined) return String(value);
  // First, since a revoked one throws whatever it is asked.
  if (types.isProxy(value)) return 'a Proxy';
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value === 'function') return 'a function';
  return `${String(value)} (${typeof value})`;
}

/** Throws ERR_INVALID_ARGUMENT unless the value can be called. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new SharedCacheError('ERR_INVALID_ARGUMENT', `${name} must be a function, received ${describe(value)}`);
}

/** What other caches call our options. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  max: 'maxEntries',
  maxItems: 'maxEntries',
  maxKeys: 'maxEntries',
  maxSize: 'maxBytes',
  maxMemory: 'maxBytes',
  size: 'maxBytes',
  maxAge: 'ttl',
  stdTTL: 'ttl',
  ttlSeconds: 'ttl',
  ttlMs: 'ttl',
  expires: 'ttl',
  allowStale: 'staleTtl',
  forceRefresh: 'force',
  policy: 'eviction',
  clock: 'now',
};

/** Throws ERR_INVALID_OPTION for a name that is not known: a misspelt option would otherwise be a silent default. */
export function rejectUnknown(given: object, names: readonly string[], what: string): void {
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const nearest = names.includes(ELSEWHERE[name]) ? ELSEWHERE[name] : nearestTo(name, names);
    const hint = nearest === undefined ? `known are ${names.join(', ')}` : `did you mean ${nearest}?`;
    throw new SharedCacheError('ERR_INVALID_OPTION', `unknown ${what} ${describe(name)}: ${hint}`);
  }
}

/** The name with the fewest letters to change, if that is no more than a third of them. */
function nearestTo(name: string, names: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Math.ceil(name.length / 3) + 1;
  for (const known of names) {
    const distance = editDistance(name.toLowerCase(), known.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = known;
    }
  }
  return nearest;
}

/** Letters to add, drop, change or swap with their neighbour, by the table of the distances of all beginnings. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, changed);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

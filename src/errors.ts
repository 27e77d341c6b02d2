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
  | 'ERR_LOAD_TIMEOUT'
  | 'ERR_MISSING_DEPENDENCY';

/** The only error class this library throws on its own account. */
export class SharedCacheError extends Error {
  override readonly name = 'SharedCacheError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A short, safe rendering of a rejected argument for error messages; never calls user code. */
export function describe(value: unknown): string {
  if (typeof value === 'string') {
    return value.length <= 40
      ? JSON.stringify(value)
      : `${JSON.stringify(value.slice(0, 40))}… (${value.length} characters)`;
  }
  if (value === null) return 'null';
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value === 'function') return 'a function';
  return `${String(value)} (${typeof value})`;
}

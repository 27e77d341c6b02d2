import { type ErrorCode, SharedCacheError } from '../../index.js';

/** What the server itself finds wrong with a request; the cache's own codes stand beside them. */
export type ProblemCode =
  | ErrorCode
  | 'ERR_BAD_REQUEST'
  | 'ERR_UNAUTHORIZED'
  | 'ERR_FORBIDDEN'
  | 'ERR_NOT_FOUND'
  | 'ERR_METHOD_NOT_ALLOWED'
  | 'ERR_NOT_ACCEPTABLE'
  | 'ERR_LENGTH_REQUIRED'
  | 'ERR_PRECONDITION_FAILED'
  | 'ERR_TOO_LARGE'
  | 'ERR_UNSUPPORTED_MEDIA_TYPE'
  | 'ERR_UNAVAILABLE'
  | 'ERR_INTERNAL';

/** A request that ends in an error: thrown anywhere while it is handled, answered in one place. */
export class Problem extends Error {
  readonly status: number;
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: ProblemCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export const badRequest = (message: string): Problem => new Problem(400, 'ERR_BAD_REQUEST', message);

export const unavailable = (message: string): Problem =>
  new Problem(503, 'ERR_UNAVAILABLE', message, { 'retry-after': '1' });

/** What the caller asked wrongly is 400, what the cache cannot do now 503; of anything else the caller learns nothing. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof SharedCacheError) {
    const { code, message } = error;
    if (code.startsWith('ERR_INVALID_')) return new Problem(400, code, message);
    if (code === 'ERR_CLOSED' || code === 'ERR_LOCK_TIMEOUT')
      return new Problem(503, code, message, { 'retry-after': '1' });
    if (code === 'ERR_CORRUPTED') return new Problem(500, code, message);
  }
  return new Problem(500, 'ERR_INTERNAL', 'the request failed inside the server');
}

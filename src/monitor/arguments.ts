import { describe, SharedCacheError } from '../errors.js';

/** Throws ERR_INVALID_ARGUMENT unless the value is a number >= 0, and finite where that is asked. */
export function checkQuantity(name: string, value: number, allowInfinity = false): void {
  if (typeof value === 'number' && value >= 0 && (allowInfinity || value !== Number.POSITIVE_INFINITY)) return;
  throw new SharedCacheError(
    'ERR_INVALID_ARGUMENT',
    `${name} must be a ${allowInfinity ? '' : 'finite '}number, not negative, received ${describe(value)}`,
  );
}

export function checkSuccess(success: boolean): void {
  if (typeof success === 'boolean') return;
  throw new SharedCacheError('ERR_INVALID_ARGUMENT', `success must be a boolean, received ${describe(success)}`);
}

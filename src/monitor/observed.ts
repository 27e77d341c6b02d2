/** What `run` returns or throws, after `ended` was told whether it, or the promise it returned, succeeded. */
export function observed<T>(run: () => T, ended: (success: boolean) => void): T {
  let result: T;
  try {
    result = run();
  } catch (error) {
    ended(false);
    throw error;
  }
  if (!isThenable(result)) {
    ended(true);
    return result;
  }
  return result.then(
    (value) => {
      ended(true);
      return value;
    },
    (error: unknown) => {
      ended(false);
      throw error;
    },
  ) as T;
}

/** A promise, of whatever make. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

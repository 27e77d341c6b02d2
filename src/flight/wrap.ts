import { checkObject } from '../arguments.js';
import { checkFunction } from '../errors.js';
import { type AsyncLoadOptions, type Load, resolveLoad } from './options.js';

/** Settings of `wrap`: how a call becomes a key, and the load's. */
export interface WrapOptions<A extends readonly unknown[]> extends AsyncLoadOptions {
  /** The key of a call with these arguments. */
  key: (...args: A) => string;
}

/** `fn` with its results kept by `getOrSet`. Throws ERR_INVALID_ARGUMENT and ERR_INVALID_OPTION at once, not at the first call. */
export function wrap<V, A extends readonly unknown[]>(
  fn: (...args: A) => V | Promise<V>,
  options: WrapOptions<A>,
  defaults: Load,
  getOrSet: (key: string, load: () => V | Promise<V>, options: AsyncLoadOptions) => Promise<V>,
): (...args: A) => Promise<V> {
  checkFunction('fn', fn);
  checkObject(options, '{ key, ...loadOptions }');
  const { key: keyOf, ...load } = options;
  checkFunction('key', keyOf);
  resolveLoad(fn, load, defaults);
  return async (...args) => getOrSet(keyOf(...args), () => fn(...args), load);
}

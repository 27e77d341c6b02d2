/** What is kept of an error, and how one is made anew in the realm that loaded this file. */
import { types } from 'node:util';
import { corrupted } from './corrupted.js';

/** In the order of their numbers in the encoded form. */
const TYPES = [
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
] as unknown as readonly (new (
  errors?: unknown,
) => Error)[];
const NAMES = TYPES.map((type) => type.name);
const AGGREGATE = TYPES.length - 1;

/** One bit each, in the order in which they follow. */
const PART = { name: 1, message: 2, stack: 4, cause: 8, errors: 16 } as const;
const PART_NAMES = Object.keys(PART);

/** Older versions of Node do not count it among the native errors. */
export function isDomException(value: object): value is Error {
  return typeof DOMException === 'function' && value instanceof DOMException;
}

/** The number of the nearest class of the language that it is an instance of, whatever its realm. */
export function errorType(error: object): number {
  let each = Object.getPrototypeOf(error) as object | null;
  while (each !== null && !types.isProxy(each)) {
    const maker: unknown = Object.getOwnPropertyDescriptor(each, 'constructor')?.value;
    if (typeof maker === 'function' && !types.isProxy(maker)) {
      const type = NAMES.indexOf(Object.getOwnPropertyDescriptor(maker, 'name')?.value as string);
      if (type >= 0) return type;
    }
    each = Object.getPrototypeOf(each) as object | null;
  }
  return 0;
}

/** What is kept, by its bit and in order. Its getters run. */
export function partsOf(error: Error, type: number): Map<number, unknown> {
  const { name, message, stack } = error as { name: unknown; message: unknown; stack: unknown };
  const parts = new Map<number, unknown>();
  if (typeof name === 'string' && name !== NAMES[type]) parts.set(PART.name, name);
  if (typeof message === 'string' && (message !== '' || Object.hasOwn(error, 'message')))
    parts.set(PART.message, message);
  if (typeof stack === 'string') parts.set(PART.stack, stack);
  if (Object.hasOwn(error, 'cause')) parts.set(PART.cause, error.cause);
  if (type === AGGREGATE && Object.hasOwn(error, 'errors')) parts.set(PART.errors, (error as AggregateError).errors);
  return parts;
}

/** An error of the type with nothing in it, not even a stack. */
export function newError(type: number): Error {
  const maker = TYPES[type];
  if (maker === undefined) throw corrupted(`it has the unknown error type ${type}`);
  const error = new maker(type === AGGREGATE ? [] : undefined);
  delete error.stack;
  if (type === AGGREGATE) delete (error as { errors?: unknown }).errors;
  return error;
}

/** Gives the error its parts; `next` reads the value of each. */
export function fillError(error: Error, parts: number, next: () => unknown): void {
  for (let i = 0; i < PART_NAMES.length; i++) {
    if ((parts & (1 << i)) !== 0) define(error, PART_NAMES[i], next(), false);
  }
}

/** Makes an own property, whatever is inherited under that name, or under those of a descriptor. */
export function define(object: object, key: string | number, value: unknown, enumerable: boolean): void {
  const descriptor = { __proto__: null, value, writable: true, enumerable, configurable: true };
  Object.defineProperty(object, key, descriptor as PropertyDescriptor);
}

import { isNativeError } from 'node:util/types';
import { define } from '../codec/error-parts.js';
import { type ErrorCode, SharedCacheError } from '../errors.js';

/** What a task threw, as it travels between threads: an error in parts, anything else as it is. */
export type Thrown = { value: unknown } | { parts: ErrorParts };

/** An error. structuredClone would keep neither its name, nor its code, nor what else its maker has added. */
interface ErrorParts {
  /** The class it is made of again: this library's, DOMException, one of JavaScript's own, or else Error. */
  type: string;
  name: string;
  message: string;
  stack: string | undefined;
  cause: Thrown | undefined;
  /** Those of an AggregateError. */
  errors: Thrown[] | undefined;
  /** Its own enumerable properties that can be sent. */
  properties: [name: string, value: Thrown][];
}

/** Causes of causes are followed so far. */
const MAX_DEPTH = 100;
const OWN_CLASSES = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError };
const APART: readonly PropertyKey[] = ['name', 'message', 'stack', 'cause', 'errors'];

/** Never throws, and what it returns can be sent. */
export function takeApart(thrown: unknown): Thrown {
  try {
    return toThrown(thrown, new Map(), 0) ?? { parts: partsOf(cloneError(thrown), new Map(), 0) };
  } catch (error) {
    // A getter or a Proxy of the thrown object's own.
    const message = isNativeError(error) ? error.message : 'what the task threw cannot be read';
    return { parts: partsOf(new Error(message), new Map(), 0) };
  }
}

/** What takeApart was given, as far as it could be sent; errors are of this thread's classes. */
export function putTogether(thrown: Thrown, made = new Map<Thrown, Error>()): unknown {
  if ('value' in thrown) return thrown.value;
  const known = made.get(thrown);
  if (known !== undefined) return known;
  const { type, name, message, stack, cause, errors, properties } = thrown.parts;
  const error = create(type, name, message);
  made.set(thrown, error);
  for (const [key, value] of properties) define(error, key, putTogether(value, made), true);
  if (error.name !== name) define(error, 'name', name, false);
  if (stack !== undefined) define(error, 'stack', stack, false);
  if (cause !== undefined) define(error, 'cause', putTogether(cause, made), false);
  if (errors !== undefined) {
    const all = errors.map((one) => putTogether(one, made));
    define(error, 'errors', all, false);
  }
  return error;
}

/** Undefined for what cannot be sent. */
function toThrown(value: unknown, taken: Map<unknown, Thrown>, depth: number): Thrown | undefined {
  if (!isError(value)) return canBeSent(value) ? { value } : undefined;
  const known = taken.get(value);
  if (known !== undefined) return known;
  if (depth === MAX_DEPTH) return undefined;
  const thrown = {} as { parts: ErrorParts };
  taken.set(value, thrown);
  thrown.parts = partsOf(value, taken, depth);
  return thrown;
}

function partsOf(error: Error, taken: Map<unknown, Thrown>, depth: number): ErrorParts {
  const properties: ErrorParts['properties'] = [];
  for (const [key, { value, enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(error))) {
    if (enumerable !== true || value === undefined || APART.includes(key)) continue;
    const sent = toThrown(value, taken, depth + 1);
    if (sent !== undefined) properties.push([key, sent]);
  }
  const { errors } = error as Partial<AggregateError>;
  return {
    type: typeOf(error),
    name: String(error.name),
    message: String(error.message),
    stack: typeof error.stack === 'string' ? error.stack : undefined,
    cause: 'cause' in error ? toThrown(error.cause, taken, depth + 1) : undefined,
    errors: Array.isArray(errors)
      ? errors.map((one) => toThrown(one, taken, depth + 1) ?? { value: undefined })
      : undefined,
    properties,
  };
}

function typeOf(error: Error): string {
  // By its name: the task may have a copy of the library of its own.
  if (error.name === 'SharedCacheError') return error.name;
  if (error instanceof DOMException) return 'DOMException';
  const classes = Object.entries(OWN_CLASSES).reverse();
  return classes.find(([, type]) => error instanceof type)?.[0] ?? error.constructor?.name ?? 'Error';
}

function create(type: string, name: string, message: string): Error {
  // Its code comes with the properties.
  if (type === 'SharedCacheError') return new SharedCacheError('' as ErrorCode, message);
  if (type === 'DOMException') return new DOMException(message, name);
  if (type === 'AggregateError') return new AggregateError([], message);
  const OwnClass = OWN_CLASSES[type as Exclude<keyof typeof OWN_CLASSES, 'AggregateError'>] ?? Error;
  return new OwnClass(message);
}

const isError = (value: unknown): value is Error => isNativeError(value) || value instanceof Error;

function canBeSent(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function' && typeof value !== 'symbol';
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

/** Why the value cannot be sent. */
function cloneError(value: unknown): Error {
  try {
    structuredClone(value);
    return new Error('what the task threw cannot be sent');
  } catch (error) {
    return error as Error;
  }
}

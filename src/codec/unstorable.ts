import { Stream } from 'node:stream';
import { types } from 'node:util';
import { SharedCacheError } from '../errors.js';

/** A value that cannot come back as it is stored. */
export function unstorable(why: string): SharedCacheError {
  return new SharedCacheError('ERR_INVALID_VALUE', `the value cannot be stored: ${why}`);
}

/** What the class of an object says about its data. */
const Data = {
  /** They may be own properties: a class of the program's, or an object made with a prototype. */
  properties: 1,
  /** The same, and its prototypes have nothing but constructors, so there cannot be other data. */
  propertiesOnly: 2,
  /** They are inside: a class of the language or the platform. */
  inside: 3,
} as const;

/** By the prototype. A prototype that is changed later is rare, and what it changes is a message. */
const known = new WeakMap<object, number>();
const sourceOf = Function.prototype.toString;

/**
 * Throws ERR_INVALID_VALUE for an object of which nothing would be left: its data are not own properties (URL, Headers,
 * WeakMap, Promise, streams, an instance with private fields only). `keys` are its own enumerable names.
 */
export function refuseHidden(prototype: object, keys: readonly string[]): void {
  let data = known.get(prototype);
  if (data === undefined) {
    data = classData(prototype);
    known.set(prototype, data);
  }
  if (data === Data.inside || (data === Data.properties && keys.length === 0)) {
    throw unstorable(`of ${nameOf(prototype)} nothing would be left, since its data are no properties of its own`);
  }
}

function classData(first: object): number {
  let data: number = Data.propertiesOnly;
  for (let each: object | null = first; each !== null; each = Object.getPrototypeOf(each) as object | null) {
    // Its traps are the user's code, which shall not decide here.
    if (types.isProxy(each)) return Data.properties;
    const maker = constructorOf(each);
    if (isNative(maker) && maker?.name === 'Object') break;
    // A template of the platform's, such as that of process.env.
    if (isNative(maker) && maker?.name === '') return Data.properties;
    const isError = isNative(maker) && /Error$/.test(maker?.name ?? '');
    if (!isError && isOfPlatform(each, maker)) return Data.inside;
    if (isError || Reflect.ownKeys(each).length > (maker === undefined ? 0 : 1)) data = Data.properties;
  }
  return data;
}

type Maker = new () => unknown;

/** The function whose prototype this is. */
function constructorOf(prototype: object): Maker | undefined {
  const value: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof value !== 'function' || types.isProxy(value)) return undefined;
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.value === prototype ? (value as Maker) : undefined;
}

function isNative(maker: Maker | undefined): boolean {
  return maker !== undefined && /\{\s*\[native code\]\s*\}\s*$/.test(sourceOf.call(maker));
}

/** Written in C++, or in JavaScript that came with the platform: its globals are not enumerable, a program's are. */
function isOfPlatform(prototype: object, maker: Maker | undefined): boolean {
  if (prototype === Stream.prototype) return true;
  if (maker === undefined) return false;
  if (isNative(maker)) return true;
  const name: unknown = Object.getOwnPropertyDescriptor(maker, 'name')?.value;
  if (typeof name !== 'string') return false;
  const global = Object.getOwnPropertyDescriptor(globalThis, name);
  if (global === undefined || global.enumerable === true) return false;
  return (Object.hasOwn(global, 'value') ? global.value : global.get?.call(globalThis)) === maker;
}

function nameOf(prototype: object): string {
  for (let each: object | null = prototype; each !== null; each = Object.getPrototypeOf(each) as object | null) {
    if (types.isProxy(each)) break;
    const maker = constructorOf(each);
    const name: unknown = maker && Object.getOwnPropertyDescriptor(maker, 'name')?.value;
    if (typeof name === 'string' && name !== '' && name !== 'Object') return `an object of class ${name}`;
  }
  return 'an object of this kind';
}

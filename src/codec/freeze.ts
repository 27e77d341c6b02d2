import { types } from 'node:util';

/**
 * Freezes a value to the last object, if it is made of primitives, plain objects and arrays alone; else it leaves it as it
 * is. Whether it did. For what a custom codec decodes: the library's own decoder freezes as it goes.
 */
export function freezePlain(value: unknown): boolean {
  if (!isObject(value)) return isPrimitive(value);
  const found = new Set<object>([value]);
  // Grows meanwhile: a Set's iteration visits what is added during it, and each object once.
  for (const object of found) {
    if (!isPlain(object)) return false;
    for (const name of Reflect.ownKeys(object)) {
      const property = Reflect.getOwnPropertyDescriptor(object, name);
      if (property === undefined || !('value' in property)) return false;
      const { value: held } = property;
      if (isObject(held)) found.add(held);
      else if (!isPrimitive(held)) return false;
    }
  }
  for (const object of found) Object.freeze(object);
  return true;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isPrimitive = (value: unknown): boolean => typeof value !== 'function' && typeof value !== 'symbol';

function isPlain(object: object): boolean {
  if (types.isProxy(object)) return false;
  const prototype: unknown = Object.getPrototypeOf(object);
  return Array.isArray(object) ? prototype === Array.prototype : prototype === null || prototype === Object.prototype;
}

import { createRequire } from 'node:module';
import type { Adapter, ValueKind } from './adapter.js';

interface SharedMap {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
}
type SharedMapClass = new (maxSize: number, keySize: number, objSize: number) => SharedMap;

/** Its types describe a named export; what the package exports is the class itself. */
const SharedMapClass = createRequire(import.meta.url)('sharedmap') as SharedMapClass;

const KEY_CHARACTERS = 24;
const JSON_CHARACTERS = 160;
/** A value as long as the slot would write its final NUL into the next one. */
const TERMINATOR = 4;

/** It keeps strings that end at the first NUL: everything else is coded as text. */
const TO_TEXT: Readonly<Record<ValueKind, (value: unknown) => string>> = {
  str: (value) => value as string,
  json: (value) => JSON.stringify(value),
  buf: (value) => (value as Buffer).toString('base64'),
};
const FROM_TEXT: Readonly<Record<ValueKind, (text: string) => unknown>> = {
  str: (text) => text,
  json: (text) => JSON.parse(text),
  buf: (text) => Buffer.from(text, 'base64'),
};

/** The nearest rival: a map in a SharedArrayBuffer, in plain JavaScript. */
export const adapter: Adapter = {
  name: 'sharedmap',
  shared: true,
  init: ({ kind, keys, valueBytes }) => {
    const characters = kind === 'json' ? JSON_CHARACTERS : kind === 'buf' ? Math.ceil(valueBytes / 3) * 4 : valueBytes;
    const map = new SharedMapClass(Math.ceil(keys * 1.3), KEY_CHARACTERS, characters + TERMINATOR);
    return { handle: () => ({ value: map }), close: () => {} };
  },
  attach: (handle, { kind }) => {
    // A clone comes without its class.
    const map = Object.setPrototypeOf(handle, SharedMapClass.prototype) as SharedMap;
    const toText = TO_TEXT[kind];
    const fromText = FROM_TEXT[kind];
    return {
      mode: 'sync',
      get: (key) => {
        const text = map.get(key);
        return text === undefined ? undefined : fromText(text);
      },
      set: (key, value) => map.set(key, toText(value)),
      close: () => {},
    };
  },
};

import { types } from 'node:util';
import { corrupted } from './corrupted.js';
import { ValueKind } from './kinds.js';
import { unstorable } from './unstorable.js';

type TypedArrayConstructor = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView;
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
};

const float16 = (globalThis as { Float16Array?: TypedArrayConstructor }).Float16Array;

/** In the order of their kinds; what a newer engine adds comes last. */
const TYPED_ARRAYS: readonly TypedArrayConstructor[] = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
  ...(float16 === undefined ? [] : [float16]),
];
const KINDS = new Set<number>(Object.values(ValueKind));
const KIND_BY_NAME = new Map(TYPED_ARRAYS.map((type, index) => [type.name, ValueKind.typedArray + index]));
/** %TypedArray%.prototype[@@toStringTag]: the class's name whatever the subclass or realm, undefined for a DataView. */
const nameOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as () => string | undefined;

export function viewKind(view: ArrayBufferView): number {
  if (Buffer.isBuffer(view)) return ValueKind.buffer;
  const name = nameOf.call(view);
  if (name === undefined) return ValueKind.dataView;
  const kind = KIND_BY_NAME.get(name);
  if (kind === undefined) throw new TypeError(`${name} is not supported`);
  return kind;
}

/** Whether this version, on this engine, has values of the kind. */
export function isKnownKind(kind: number): boolean {
  return KINDS.has(kind) || TYPED_ARRAYS[kind - ValueKind.typedArray] !== undefined;
}

/** Resizable memory is left to V8's serialization, which keeps that it is resizable. */
export function isFixed(buffer: ArrayBufferLike): boolean {
  return types.isSharedArrayBuffer(buffer) || (buffer as { resizable?: boolean }).resizable !== true;
}

/** A view of the kind on `lengthBytes` of memory that becomes the view's own. */
export function viewOf(kind: number, buffer: ArrayBuffer, byteOffset: number, lengthBytes: number): ArrayBufferView {
  if (kind === ValueKind.buffer) return Buffer.from(buffer, byteOffset, lengthBytes);
  if (kind === ValueKind.dataView) return new DataView(buffer, byteOffset, lengthBytes);
  const type = TYPED_ARRAYS[kind - ValueKind.typedArray];
  if (type === undefined) throw corrupted(`it has the unknown value kind ${kind}`);
  if (lengthBytes % type.BYTES_PER_ELEMENT !== 0) throw corrupted(`${lengthBytes} bytes are no ${type.name}`);
  return new type(buffer, byteOffset, lengthBytes / type.BYTES_PER_ELEMENT);
}

/** As structuredClone does: of memory that was transferred nothing is left to store. */
export function refuseDetached(buffer: ArrayBufferLike): void {
  if (types.isSharedArrayBuffer(buffer) || buffer.byteLength > 0) return;
  try {
    new Uint8Array(buffer);
  } catch {
    throw unstorable('it is or holds a detached ArrayBuffer');
  }
}

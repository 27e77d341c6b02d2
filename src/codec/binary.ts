import { types } from 'node:util';
import { corrupted } from './corrupted.js';
import { ValueKind } from './kinds.js';
import { unstorable } from './unstorable.js';

type TypedArrayConstructor = {
  new (buffer: ArrayBuffer, byteOffset: number, length?: number): ArrayBufferView;
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
};

export interface ResizableArrayBuffer extends ArrayBuffer {
  readonly resizable: boolean;
  readonly maxByteLength: number;
}

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
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
const nameOf = Object.getOwnPropertyDescriptor(typedArray, Symbol.toStringTag)?.get as () => string | undefined;
const { indexOf } = typedArray;

export function viewKind(view: ArrayBufferView): number {
  if (Buffer.isBuffer(view)) return ValueKind.buffer;
  const name = nameOf.call(view);
  if (name === undefined) return ValueKind.dataView;
  const kind = KIND_BY_NAME.get(name);
  if (kind === undefined) throw unstorable(`it is or holds a ${name}`);
  return kind;
}

/** Whether this version, on this engine, has values of the kind. */
export function isKnownKind(kind: number): boolean {
  return KINDS.has(kind) || TYPED_ARRAYS[kind - ValueKind.typedArray] !== undefined;
}

/** Whether the memory keeps its size. */
export function isFixed(buffer: ArrayBufferLike): boolean {
  return types.isSharedArrayBuffer(buffer) || (buffer as ResizableArrayBuffer).resizable !== true;
}

/**
 * Whether the view has no length of its own but follows its resizable buffer's. No property says so; what can be seen is
 * that it ends where the buffer ends, and views made with a length that happen to end there are taken for one that does.
 */
export function tracksLength({ buffer, byteOffset, byteLength }: ArrayBufferView): boolean {
  return !isFixed(buffer) && byteOffset + byteLength === buffer.byteLength;
}

/** A view of the kind on `lengthBytes` of memory that becomes the view's own; on all that follows when undefined. */
export function viewOf(
  kind: number,
  buffer: ArrayBuffer,
  byteOffset: number,
  lengthBytes: number | undefined,
): ArrayBufferView {
  if (kind === ValueKind.buffer) return Buffer.from(buffer, byteOffset, lengthBytes);
  if (kind === ValueKind.dataView) return new DataView(buffer, byteOffset, lengthBytes);
  const type = TYPED_ARRAYS[kind - ValueKind.typedArray];
  if (type === undefined) throw corrupted(`it has the unknown value kind ${kind}`);
  if (lengthBytes === undefined) return new type(buffer, byteOffset);
  if (lengthBytes % type.BYTES_PER_ELEMENT !== 0) throw corrupted(`${lengthBytes} bytes are no ${type.name}`);
  return new type(buffer, byteOffset, lengthBytes / type.BYTES_PER_ELEMENT);
}

/**
 * As structuredClone does: of memory that was transferred nothing is left to store, nor of a view that lies beyond the end
 * of a buffer that was made smaller.
 */
export function refuseDetached(memory: ArrayBufferLike | ArrayBufferView): void {
  if (!types.isDataView(memory) && memory.byteLength > 0) return;
  try {
    // None of them does anything, and each throws for what is gone.
    if (types.isDataView(memory)) memory.byteLength;
    else if (ArrayBuffer.isView(memory)) indexOf.call(memory, 0);
    else new Uint8Array(memory);
  } catch {
    throw unstorable('it is or holds a detached ArrayBuffer, or a view beyond the end of one');
  }
}

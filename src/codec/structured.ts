/**
 * Anything structuredClone keeps, through V8's own serialization.
 *
 * Two differences, both on purpose: a nested Buffer comes back as a Buffer on its own bytes (structuredClone makes it a
 * Uint8Array on a copy of the whole pool behind it), and a view on a SharedArrayBuffer comes back on plain memory.
 * Other views bring their whole ArrayBuffer, so that views which shared one still do. Node's own v8.deserialize is not
 * used because its views lie on the input, which here is reused for the next value.
 */
import { types } from 'node:util';
import { Deserializer, Serializer } from 'node:v8';
import { refuseDetached, viewKind, viewOf } from './binary.js';
import { corrupted } from './corrupted.js';
import { ValueKind } from './kinds.js';
import { unstorable } from './unstorable.js';

/** How a view's memory follows: its own bytes, or its ArrayBuffer as a value of its own. */
const OWN_BYTES = 0;
const WHOLE_BUFFER = 1;
const TRACKS_LENGTH = 2;

interface ViewDelegate {
  _setTreatArrayBufferViewsAsHostObjects(treat: boolean): void;
  _getDataCloneError: (message: string) => Error;
}

/** What V8 says of a value that cannot be cloned: other errors are the user's own. */
class NotCloneable extends Error {}

/** Shared memory is refused before the delegate is asked. */
function isCloneError(error: unknown): error is Error {
  return (
    error instanceof NotCloneable || (error instanceof Error && /^#<\w+> could not be cloned\.$/.test(error.message))
  );
}

class StructuredSerializer extends Serializer {
  constructor() {
    super();
    (this as unknown as ViewDelegate)._setTreatArrayBufferViewsAsHostObjects(true);
    (this as unknown as ViewDelegate)._getDataCloneError = (message) => new NotCloneable(message);
  }

  _writeHostObject(object: object): void {
    if (!ArrayBuffer.isView(object))
      throw new NotCloneable(`${Object.prototype.toString.call(object)} cannot be cloned`);
    refuseDetached(object.buffer);
    const kind = viewKind(object);
    const { buffer, byteOffset, byteLength } = object;
    this.writeUint32(kind);
    if (kind === ValueKind.buffer || types.isSharedArrayBuffer(buffer)) {
      this.writeUint32(OWN_BYTES);
      this.writeUint32(byteLength);
      // A copy: V8 reads the bytes as they are, and shared ones may change meanwhile.
      this.writeRawBytes(new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength)));
      return;
    }
    this.writeUint32(tracksLength(object, buffer as ResizableArrayBuffer) ? TRACKS_LENGTH : WHOLE_BUFFER);
    this.writeUint32(byteOffset);
    this.writeUint32(byteLength);
    this.writeValue(buffer);
  }
}

class StructuredDeserializer extends Deserializer {
  _readHostObject(): unknown {
    const kind = this.readUint32();
    const memory = this.readUint32();
    if (memory === OWN_BYTES) {
      const own = new Uint8Array(this.readRawBytes(this.readUint32()));
      return viewOf(kind, own.buffer, 0, own.byteLength);
    }
    const byteOffset = this.readUint32();
    const byteLength = this.readUint32();
    const buffer: unknown = this.readValue();
    if (!types.isArrayBuffer(buffer)) throw corrupted('a view lies on no ArrayBuffer');
    const view = viewOf(kind, buffer, byteOffset, byteLength);
    if (memory === WHOLE_BUFFER) return view;
    return new (view.constructor as new (buffer: ArrayBuffer, byteOffset: number) => ArrayBufferView)(
      buffer,
      byteOffset,
    );
  }
}

interface ResizableArrayBuffer extends ArrayBuffer {
  readonly resizable: boolean;
  readonly maxByteLength: number;
}

/**
 * Whether the view has no length of its own but follows its resizable buffer's. No property says so; what can be seen is
 * that it ends where the buffer ends, and views made with a length that happen to end there are taken for one that does.
 */
function tracksLength(view: ArrayBufferView, buffer: ResizableArrayBuffer): boolean {
  return buffer.resizable === true && view.byteOffset + view.byteLength === buffer.byteLength;
}

/**
 * Throws ERR_INVALID_VALUE for what cannot be cloned, or written but not read again; and what a getter of the value throws.
 */
export function encodeStructured(value: unknown): Buffer {
  const serializer = new StructuredSerializer();
  serializer.writeHeader();
  try {
    serializer.writeValue(value);
  } catch (error) {
    if (isCloneError(error)) throw unstorable(error.message);
    throw error;
  }
  const bytes = serializer.releaseBuffer();
  try {
    // Some kinds (a WebAssembly.Module) and depths can be written and not read.
    decodeStructured(bytes);
  } catch (error) {
    throw unstorable(`it could not be read again: ${(error as Error).message}`);
  }
  return bytes;
}

/** The result holds no memory of `bytes`. Throws ERR_CORRUPTED. */
export function decodeStructured(bytes: Buffer): unknown {
  try {
    const deserializer = new StructuredDeserializer(bytes);
    deserializer.readHeader();
    return deserializer.readValue();
  } catch (cause) {
    throw corrupted('V8 cannot deserialize its value', cause);
  }
}

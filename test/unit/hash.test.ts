import t from 'tap';
import { halfSipHash13 } from '../../src/codec/hash.js';
import { KeyEncoder } from '../../src/codec/key.js';
import { halfSipHash } from './half-sip-hash.js';

const KEY = Uint8Array.from({ length: 8 }, (_, i) => i);
const message = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i);

/** The hash under test, of bytes. */
function hash(bytes: Uint8Array, key0: number, key1: number): bigint {
  const words = new Int32Array((bytes.length >> 2) + 1);
  new Uint8Array(words.buffer).set(bytes);
  return BigInt.asUintN(32, BigInt(halfSipHash13(words, bytes.length, key0, key1)));
}

t.test('the reference reproduces the published HalfSipHash-2-4 vectors', async (t) => {
  // From the authors' reference code: 32-bit output for messages 00, 00 01, ... of 0 to 4 bytes.
  const published = ['a9359f5b', '27475ab8', 'fa62a603', '8afee704', '2a6e4689'];
  for (const [length, expected] of published.entries()) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(Number(halfSipHash(2, 4, KEY, message(length))));
    t.equal(bytes.toString('hex'), expected, `${length} bytes`);
  }
});

t.test('HalfSipHash-1-3 agrees with the reference at every length', async (t) => {
  const view = new DataView(KEY.buffer);
  const key0 = view.getInt32(0, true);
  const key1 = view.getInt32(4, true);
  for (let length = 0; length <= 300; length++) {
    const bytes = message(length);
    if (hash(bytes, key0, key1) !== halfSipHash(1, 3, KEY, bytes)) t.fail(`${length} bytes differ`);
  }
  const negative = Uint8Array.from({ length: 8 }, () => 0xf7);
  const high = Uint8Array.from({ length: 64 }, () => 0xff);
  t.equal(hash(high, 0xf7f7f7f7 | 0, 0xf7f7f7f7 | 0), halfSipHash(1, 3, negative, high), 'all bits set');
});

t.test('the key encoder, which hashes while it packs, agrees too', async (t) => {
  for (const [key0, key1] of [
    [0, 0],
    [0x03020100, -2],
    [-0x80000000, 0x7fffffff],
  ]) {
    const encoder = new KeyEncoder(key0, key1);
    for (const unit of ['k', '\u007f', 'é', 'aé日😀']) {
      for (let length = 0; length <= 270; length++) {
        const key = unit.repeat(length);
        encoder.encode(key);
        if (BigInt.asUintN(32, BigInt(encoder.hash)) !== hash(Buffer.from(key), key0, key1))
          t.fail(`${unit} x ${length}`);
      }
    }
  }
});

t.test('the key and every bit of the message matter', async (t) => {
  const bytes = Buffer.from('user:00012345:profile');
  const plain = hash(bytes, 1, 2);
  t.not(hash(bytes, 2, 1), plain);
  let flips = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const other = Buffer.from(bytes);
    other[bit >> 3] ^= 1 << (bit & 7);
    let difference = hash(other, 1, 2) ^ plain;
    for (; difference !== 0n; difference >>= 1n) flips += Number(difference & 1n);
  }
  const average = flips / (bytes.length * 8);
  t.ok(average > 14 && average < 18, `flipping one bit flips ${average.toFixed(2)} of 32`);
});

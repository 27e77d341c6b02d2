import t from 'tap';
import { decodeKey, KeyEncoder } from '../../src/codec/key.js';
import { MAX_KEY_BYTES } from '../../src/memory/layout.js';

function encoded(encoder: KeyEncoder, key: string): Buffer {
  encoder.encode(key);
  return Buffer.from(Buffer.from(encoder.words.buffer, 0, encoder.lengthBytes));
}

t.test('well-formed strings are UTF-8', async (t) => {
  const encoder = new KeyEncoder(1, 2);
  for (const key of [
    '',
    'a',
    'abc',
    'abcd',
    'user:00012345:profile',
    'é',
    'naïve',
    '日本語',
    '😀',
    'a😀b',
    '\ufeffx',
    '\0',
    '\u007f\u0080',
    'k'.repeat(32),
    'k'.repeat(33),
    `${'k'.repeat(33)}é`,
    `😀${'k'.repeat(40)}`,
  ]) {
    const bytes = encoded(encoder, key);
    t.equal(bytes.toString('hex'), Buffer.from(key).toString('hex'), JSON.stringify(key));
    t.equal(decodeKey(Buffer.concat([Buffer.from('??'), bytes, Buffer.from('??')]), 2, bytes.length), key);
  }
});

t.test('lone surrogates are three bytes each and come back', async (t) => {
  const encoder = new KeyEncoder(1, 2);
  const keys = [
    '\ud800',
    '\udfff',
    '\ud801',
    'a\ud800',
    '\ud800a',
    '\udc00\ud800',
    '\ud83d',
    '\ude00',
    '\ufffd',
    '\ufffd\ud800',
    '😀\ud83d',
    `\ud800${'k'.repeat(40)}`,
    `\ufffd${'k'.repeat(40)}`,
  ];
  const seen = new Set<string>();
  for (const key of keys) {
    const bytes = encoded(encoder, key);
    seen.add(bytes.toString('hex'));
    t.equal(decodeKey(bytes, 0, bytes.length), key, JSON.stringify(key));
  }
  t.equal(seen.size, keys.length, 'no two keys share bytes');
});

t.test('the last word is padded with zeros whatever was encoded before', async (t) => {
  const encoder = new KeyEncoder(1, 2);
  for (const key of ['abcde', 'é', '日本', '', 'k'.repeat(33), `é${'k'.repeat(35)}`]) {
    encoder.encode('\u00ff'.repeat(40));
    const bytes = encoded(encoder, key);
    const padded = Buffer.from(encoder.words.buffer).subarray(bytes.length, (bytes.length + 3) & ~3);
    t.ok(
      padded.every((byte) => byte === 0),
      JSON.stringify(key),
    );
  }
});

t.test('the hash depends on the bytes and the key alone', async (t) => {
  const encoder = new KeyEncoder(7, -9);
  encoder.encode('x'.repeat(1000));
  encoder.encode('é1');
  const hash = encoder.hash;
  const other = new KeyEncoder(7, -9);
  other.encode('é1');
  t.equal(other.hash, hash);
  t.equal(hash | 0, hash, 'a signed 32-bit number');
  const differently = new KeyEncoder(8, -9);
  differently.encode('é1');
  t.not(differently.hash, hash);
});

t.test('keys are bounded by encoded length', async (t) => {
  const encoder = new KeyEncoder(1, 2);
  encoder.encode('a'.repeat(MAX_KEY_BYTES));
  t.equal(encoder.lengthBytes, MAX_KEY_BYTES);
  encoder.encode('é'.repeat(MAX_KEY_BYTES / 2));
  t.equal(encoder.lengthBytes, MAX_KEY_BYTES);
  for (const key of ['a'.repeat(MAX_KEY_BYTES + 1), 'é'.repeat(MAX_KEY_BYTES / 2 + 1), '日'.repeat(30_000)])
    t.throws(() => encoder.encode(key), { code: 'ERR_INVALID_KEY' }, `${key.length} characters`);
});

t.test('anything but a string is refused, without running its code', async (t) => {
  const encoder = new KeyEncoder(1, 2);
  const trap = { toString: () => t.fail('called'), toJSON: () => t.fail('called') };
  for (const key of [undefined, null, 1, 1n, true, Symbol('s'), {}, [], trap, new String('x'), () => 'x'])
    t.throws(() => encoder.encode(key), { code: 'ERR_INVALID_KEY', message: /received/ });
});

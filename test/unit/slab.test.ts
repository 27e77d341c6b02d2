import { MessageChannel } from 'node:worker_threads';
import t from 'tap';
import { Slab } from '../../src/codec/slab.js';
import { withCache } from '../fixtures/with-cache.js';

const LENGTHS = [1, 4_000, 4_096, 4_097, 5_000, 16_384, 16_385, 100_000];

t.test('no two Buffers share a byte', async (t) => {
  const slab = new Slab();
  const taken = Array.from({ length: 100 }, (_, i) => slab.take(LENGTHS[i % LENGTHS.length]).fill(i));
  for (const [i, buffer] of taken.entries()) {
    t.equal(buffer.length, LENGTHS[i % LENGTHS.length]);
    if (buffer.some((byte) => byte !== i)) t.fail(`Buffer ${i} was written over`);
  }
});

t.test('several of a few KiB share an ArrayBuffer, longer ones have their own', async (t) => {
  const slab = new Slab();
  t.equal(slab.take(4_096).buffer, slab.take(5_001).buffer);
  t.equal(slab.take(100_000).buffer.byteLength, 100_000);
  t.equal(slab.take(4_097).byteOffset % 8, 0, 'where a typed array may begin');
});

t.test('what one caller does to its Buffer, nobody else sees', async (t) => {
  const cache = withCache(t, { maxBytes: '4MB' });
  const value = Buffer.alloc(5_000, 'v');
  cache.put('key', value);
  const [one, other] = [cache.get('key') as Buffer, cache.get('key') as Buffer];
  one.fill('x');
  t.ok(other.equals(value));
  t.ok(value.equals(cache.get('key') as Buffer));
});

t.test('transferring one Buffer leaves its neighbours where they are', async (t) => {
  const slab = new Slab();
  const [one, other] = [slab.take(4_096), slab.take(4_096).fill(7)];
  const { port1, port2 } = new MessageChannel();
  try {
    // Node 20 copies instead, later ones refuse.
    port1.postMessage(one, [one.buffer as ArrayBuffer]);
  } catch (error) {
    t.match(error, { name: 'DataCloneError' });
  }
  port1.close();
  port2.close();
  t.equal(other.length, 4_096);
  t.equal(other[0], 7);
});

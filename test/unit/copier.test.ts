/** The copier of a dump: which entries it copies, that their bytes arrive, and that it believes nothing a writer was at. */

import { Buffer } from 'node:buffer';
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { Arena } from '../../src/memory/arena.js';
import { Blocks } from '../../src/snapshot/blocks.js';
import { AT_ANOTHER_KIND, Copier } from '../../src/snapshot/copier.js';
import { EntryReader } from '../../src/snapshot/entry-format.js';
import { BLOCK_HEAD_BYTES, isLarge } from '../../src/snapshot/format.js';
import { Recency } from '../../src/snapshot/recency.js';
import { LayOrder } from '../../src/table/lay-order.js';
import type { Shard } from '../../src/table/shard.js';
import { Table } from '../../src/table/table.js';

/** All in one generation, so that one block has them. */
class OneGeneration extends Recency {
  override generationOf(): number {
    this.asked();
    return 0;
  }

  asked: () => void = () => {};
}

interface Scene {
  readonly cache: SharedCache<string>;
  readonly shard: Shard;
  readonly order: LayOrder;
  readonly blocks: Blocks;
  readonly copier: Copier;
  readonly recency: OneGeneration;
  collect(): void;
}

function scene(test: Pick<typeof t, 'teardown'>): Scene {
  const cache = new SharedCache<string>({ maxBytes: '4MB', shards: 1, sweep: false });
  test.teardown(() => cache.close());
  const [shard] = Table.of(Arena.attach(cache.handle.buffers)).shards;
  const order = new LayOrder();
  const blocks = new Blocks();
  const recency = new OneGeneration([shard]);
  const copier = new Copier(0, recency, blocks);
  return { cache, shard, order, blocks, copier, recency, collect: () => order.collect(shard, 0, shard.bucketCount) };
}

/** Keys and values in the block of generation 0. */
function contentOf(blocks: Blocks): Map<string, string> {
  const content = new Map<string, string>();
  const entry = new EntryReader();
  entry.begin(blocks.close(0).subarray(BLOCK_HEAD_BYTES));
  while (entry.next()) {
    const key = entry.payload.latin1Slice(entry.keyAt, entry.keyAt + entry.keyBytes);
    content.set(key, entry.payload.latin1Slice(entry.valueAt, entry.valueAt + entry.valueBytes));
  }
  return content;
}

/** Copies all, and what it stopped at is left out: its places. */
function copyAll({ copier, shard, order }: Scene): number[] {
  const left: number[] = [];
  for (let at = 0; at < order.count; at++) {
    at = copier.copy(shard, order, at, order.count);
    if (at < order.count) left.push(order.slots[at]);
  }
  return left;
}

t.test('keys and values of every length arrive, wherever in a word they begin', (t) => {
  const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 380, 381, 382, 383, 384, 385, 386, 387, 388, 389];
  for (let keyLength = 1; keyLength <= 9; keyLength++) {
    const all = scene(t);
    const expected = new Map<string, string>();
    for (const [i, length] of lengths.entries()) {
      const key = String.fromCharCode(97 + i).repeat(keyLength);
      expected.set(key, Buffer.alloc(length, 'the bytes of a value ').toString('latin1'));
      all.cache.put(key, expected.get(key) as string);
    }
    all.collect();
    t.same(copyAll(all), []);
    t.equal(all.copier.entries, lengths.length);
    t.same([...contentOf(all.blocks)].sort(), [...expected].sort());
  }
  t.end();
});

t.test('an entry that was moved or removed since is left to others', (t) => {
  const all = scene(t);
  for (let i = 0; i < 100; i++) all.cache.put(`k${i}`, `value ${i}`);
  all.collect();
  const moved = all.cache.put('k7', 'x'.repeat(2_000)) && all.cache.delete('k50');
  t.ok(moved);
  t.equal(copyAll(all).length, 2);
  t.equal(all.copier.stoppedFor, AT_ANOTHER_KIND);
  const content = contentOf(all.blocks);
  t.equal(content.size, 98);
  t.notOk(content.has('k7') || content.has('k50'));
  t.end();
});

t.test('what was copied while somebody wrote is taken back', (t) => {
  const all = scene(t);
  for (let i = 0; i < 20; i++) all.cache.put(`k${i}`, `value ${i}`);
  all.collect();
  let asked = 0;
  all.recency.asked = () => {
    if (++asked === 10) all.cache.put('k0', 'another');
  };
  const { blocks, copier, shard, order } = all;
  const [end] = blocks.ends;
  t.equal(copier.copy(shard, order, 0, order.count), 0);
  t.equal(copier.stoppedFor, AT_ANOTHER_KIND);
  t.same([blocks.ends[0], blocks.entries[0], copier.entries, copier.bytes], [end, 0, 0, 0]);
  t.equal(copier.copy(shard, order, 0, order.count), order.count, 'nobody writes now');
  t.equal(contentOf(blocks).get('k0'), 'another');
  t.end();
});

t.test('a full block, a long entry and one with tags stop it, one that is over does not', (t) => {
  const all = scene(t);
  const value = 'x'.repeat(500);
  for (let i = 0; i < 100; i++) all.cache.put(`k${i}`, value);
  all.collect();
  const { blocks, copier, shard, order } = all;
  const stopped = copier.copy(shard, order, 0, order.count);
  t.ok(stopped > 0 && stopped < 100);
  t.equal(copier.stoppedFor, 0);
  t.notOk(isLarge(blocks.close(0).length - BLOCK_HEAD_BYTES));
  t.equal(copier.copy(shard, order, stopped, order.count), order.count);
  blocks.close(0);

  all.cache.clear();
  all.cache.put('short', 'x', { ttl: Number.POSITIVE_INFINITY });
  all.cache.put('long', 'x'.repeat(40_000));
  all.cache.put('tagged', 'x', { tags: ['a'] });
  all.cache.put('over', 'x', { ttl: 1 });
  copier.now = Number.MAX_SAFE_INTEGER;
  all.collect();
  t.equal(copyAll(all).length, 2);
  t.same([...contentOf(blocks).keys()], ['short']);
  t.end();
});

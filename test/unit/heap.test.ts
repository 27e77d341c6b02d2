/** The allocator against a Map of what is taken. Prints its seed; SEED= sets it. */
import fc from 'fast-check';
import t from 'tap';
import { shardGeometry } from '../../src/memory/geometry.js';
import { Heap } from '../../src/memory/heap.js';
import { JOURNAL_WORD, SHARD } from '../../src/memory/layout.js';
import { ShardMemory } from '../../src/memory/shard-memory.js';
import { classTables } from '../../src/memory/size-classes.js';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
console.log(`# SEED=${seed}`);

function createHeap(pageCount: number): { heap: Heap; memory: ShardMemory } {
  const geometry = shardGeometry({ pageShift: 12, pageCount, bucketCount: 2, policyWords: 0, eventWords: 1024 });
  const memory = new ShardMemory(new SharedArrayBuffer(geometry.words * 4), 0, geometry, 0, 10);
  return { heap: new Heap(memory, classTables(2 ** 12, geometry.classBytes)), memory };
}

t.test('blocks never overlap, and the counts follow', (t) => {
  const step = fc.record({
    bytes: fc.integer({ min: 0, max: 4_096 }),
    free: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const { heap, memory } = createHeap(8);
      const taken = new Map<number, number>();
      for (const { bytes, free } of steps) {
        if (free > 0.4 && taken.size > 0) {
          const ref = [...taken.keys()][Math.floor(free * taken.size)];
          heap.free(ref);
          taken.delete(ref);
        } else {
          const sizeClass = heap.classFor(bytes);
          if (heap.classBytes(sizeClass) < bytes) throw new Error(`class ${sizeClass} is too small for ${bytes}`);
          const expected = heap.has(sizeClass);
          const ref = heap.allocate(sizeClass);
          if ((ref !== 0) !== expected) throw new Error(`has() said ${expected}, allocate() returned ${ref}`);
          if (ref !== 0) taken.set(ref, heap.classBytes(sizeClass));
        }
        memory.commit();
      }
      const inOrder = [...taken].sort(([a], [b]) => a - b);
      for (const [i, [ref, bytes]] of inOrder.entries()) {
        if (!heap.isBlock(ref)) throw new Error(`${ref} is no block`);
        if (i > 0 && inOrder[i - 1][0] * 8 + inOrder[i - 1][1] > ref * 8) throw new Error(`${ref} overlaps`);
        if (heap.classBytes(heap.place(ref).sizeClass) !== bytes) throw new Error(`${ref} changed its class`);
      }
      const used = inOrder.reduce((sum, [, bytes]) => sum + bytes, 0);
      if (memory.words[SHARD.usedUnits] * 8 !== used) throw new Error('usedUnits is wrong');
    }),
    { numRuns: 300, seed },
  );
  t.pass('300 runs');
  t.end();
});

t.test('a rollback takes an allocation or a free back, word for word', (t) => {
  const { heap, memory } = createHeap(4);
  const first = heap.allocate(heap.classFor(100));
  memory.commit();
  const image = (): Int32Array => {
    const words = memory.words.slice();
    return words.fill(0, JOURNAL_WORD, JOURNAL_WORD + 64);
  };
  const before = image();
  for (const change of [
    () => heap.allocate(heap.classFor(100)),
    () => heap.allocate(heap.classFor(4_096)),
    () => heap.free(first),
  ]) {
    change();
    memory.rollback();
    memory.rollback();
    t.same(image(), before);
  }
  t.end();
});

t.test('an emptied page serves any class, and a full heap says so', (t) => {
  const { heap, memory } = createHeap(2);
  const [small, whole] = [heap.classFor(32), heap.classFor(4_096)];
  const refs: number[] = [];
  for (let ref = heap.allocate(small); ref !== 0; ref = heap.allocate(small)) {
    refs.push(ref);
    memory.commit();
  }
  t.equal(refs.length, 2 * 128);
  t.equal(heap.has(small), false);
  t.equal(heap.allocate(whole), 0);
  for (const ref of refs) {
    heap.free(ref);
    memory.commit();
  }
  t.equal(memory.words[SHARD.usedUnits], 0);
  t.ok(heap.allocate(whole) !== 0);
  memory.commit();
  t.ok(heap.allocate(whole) !== 0);
  memory.commit();
  t.equal(heap.allocate(small), 0);
  t.end();
});

t.test('a ref that names no block is corruption, not a wild access', (t) => {
  const { heap } = createHeap(2);
  t.equal(heap.isBlock(1), false);
  t.equal(heap.isBlock(2 ** 28), false);
  t.throws(() => heap.place(heap.allocate(0) + 4_096 / 8), { code: 'ERR_CORRUPTED' });
  t.end();
});

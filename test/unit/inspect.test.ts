/** `inspect()` finds what it is there to find: each case breaks one word of a sound cache. */
import t from 'tap';
import { SharedCache } from '../../src/index.js';
import { Arena } from '../../src/memory/arena.js';
import { BUCKET_SLOTS, CONTROL, ENTRY, REF_SHIFT, SHARD } from '../../src/memory/layout.js';
import { Table } from '../../src/table/table.js';

interface Sound {
  readonly cache: SharedCache<string>;
  readonly control: Int32Array;
  /** The words of the only shard. */
  readonly words: Int32Array;
  /** The first word of the only entry. */
  readonly entry: number;
}

/** A cache of one shard and one entry. */
function soundCache(test: Pick<typeof t, 'teardown'>): Sound {
  const cache = new SharedCache<string>({ maxBytes: '1MB', shards: 1, sweep: false });
  test.teardown(() => cache.close());
  cache.put('key', 'value');
  const [{ memory, words, bucketCount }] = Table.of(Arena.attach(cache.handle.buffers)).shards;
  for (let slot = 0; slot < bucketCount * 8; slot++) {
    const ref = slot % 8 < BUCKET_SLOTS ? words[memory.refWord(slot)] : 0;
    if (ref !== 0)
      return { cache, control: new Int32Array(cache.handle.buffers.control), words, entry: ref << (REF_SHIFT - 2) };
  }
  throw new Error('no entry');
}

const cases: Record<string, { damage(cache: Sound): void; problem: RegExp }> = {
  'an odd lock word': {
    damage: ({ words }) => {
      words[SHARD.lock]++;
    },
    problem: /^shard 0: the free lock word \d+ is odd$/,
  },
  'a version that is not the free lock word': {
    damage: ({ words }) => {
      words[SHARD.version] += 2;
    },
    problem: /^shard 0: the lock word is \d+, the version beside it \d+$/,
  },
  'an odd lock word of the shared policy': {
    damage: ({ control }) => {
      control[CONTROL.policyLock]++;
    },
    problem: /^shared policy: the free lock word \d+ is odd$/,
  },
  'a wrong version of the leases': {
    damage: ({ control }) => {
      control[CONTROL.leaseLock + 1] += 2;
    },
    problem: /^leases: the lock word is \d+, the version beside it \d+$/,
  },
  'an entry without a version': {
    damage: ({ words, entry }) => {
      words[entry + ENTRY.version] = 0;
    },
    problem: /^shard 0: slot \d+ has version 0 after 1 writes$/,
  },
  'an entry of a write that has not been': {
    damage: ({ words, entry }) => {
      words[entry + ENTRY.version]++;
    },
    problem: /^shard 0: slot \d+ has version 2 after 1 writes$/,
  },
};

for (const [name, { damage, problem }] of Object.entries(cases)) {
  t.test(name, async (t) => {
    const sound = soundCache(t);
    t.same(sound.cache.inspect(), { ok: true, problems: [] });
    damage(sound);
    const { ok, problems } = sound.cache.inspect();
    t.equal(ok, false);
    t.ok(
      problems.some((each) => problem.test(each)),
      problems.join('\n'),
    );
  });
}

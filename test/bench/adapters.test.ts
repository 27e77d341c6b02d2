import t from 'tap';
import type { ValueKind } from '../../bench/adapters/adapter.js';
import { ADAPTER_NAMES, loadAdapter } from '../../bench/adapters/index.js';
import { Team } from '../../bench/harness/team.js';
import { drawOperations } from '../../bench/workloads/operations.js';
import { STANDARD_BYTES } from '../../bench/workloads/values.js';

const KEYS = 500;
const KINDS: readonly ValueKind[] = ['str', 'json', 'buf'];
/** Needs a server, which a test does not install. */
const WITH_SERVER = 'redis';

const operations = drawOperations({ distribution: 'uniform', keys: KEYS, writes: 0.1, seed: 1 });

for (const name of ADAPTER_NAMES.filter((each) => each !== WITH_SERVER)) {
  t.test(`${name} gives back what it was given, on two threads`, async (t) => {
    const adapter = await loadAdapter(name);
    t.equal(adapter.name, name);
    for (const kind of KINDS) {
      const setup = { kind, keys: KEYS, threads: 2, valueBytes: STANDARD_BYTES[kind] };
      // Assembling includes the correctness check, which throws.
      const team = await Team.assemble(adapter, { setup, seed: 1 });
      await team.take({ operations, freshKeys: false });
      const rounds = await team.run(5);
      await team.close();
      t.equal(rounds.length, 2);
      for (const round of rounds) t.equal(round.misses, 0, `${kind}: everything is found`);
    }
  });
}

t.test('the check notices a store that forgets', async (t) => {
  const map = await loadAdapter('map');
  const setup = { kind: 'str', keys: KEYS, threads: 2, valueBytes: 100 } as const;
  // Declared as shared, only the first thread's Map is filled.
  const forgetful = { ...map, shared: true };
  const assembled = Team.assemble(forgetful, { setup, seed: 1 });
  await t.rejects(assembled, /came back wrong/);
});

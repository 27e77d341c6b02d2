import t, { type Test } from 'tap';
import type { Adapter, Host, ValueKind } from '../../bench/adapters/adapter.js';
import { ADAPTER_NAMES, loadAdapter } from '../../bench/adapters/index.js';
import { Team } from '../../bench/harness/team.js';
import { drawOperations } from '../../bench/workloads/operations.js';
import { STANDARD_BYTES } from '../../bench/workloads/values.js';
import { ONLY_LONG } from '../fixtures/effort.js';

const KEYS = 500;
const KINDS: readonly ValueKind[] = ['str', 'json', 'buf'];
/** Needs a server, which a test does not install. */
const WITH_SERVER = 'redis';

const operations = drawOperations({ distribution: 'uniform', keys: KEYS, writes: 0.1, seed: 1 });

async function run(t: Test, adapter: Adapter, kind: ValueKind, processes: boolean): Promise<void> {
  const setup = { kind, keys: KEYS, threads: 2, processes, valueBytes: STANDARD_BYTES[kind] };
  // Assembling includes the correctness check, which throws.
  const team = await Team.assemble(adapter, { setup, seed: 1 });
  await team.take({ operations, freshKeys: false });
  const rounds = await team.run(5);
  await team.close();
  t.equal(rounds.length, 2);
  for (const round of rounds) t.equal(round.misses, 0, `${kind}: everything is found`);
}

for (const name of ADAPTER_NAMES.filter((each) => each !== WITH_SERVER)) {
  // The others are held against it, and seldom change.
  const options = name.startsWith('mooncake') ? {} : ONLY_LONG;
  t.test(`${name} gives back what it was given, on two threads`, options, async (t) => {
    const adapter = await loadAdapter(name);
    t.equal(adapter.name, name);
    const { kinds = KINDS } = adapter;
    for (const kind of kinds) await run(t, adapter, kind, false);
    if (adapter.overProcesses) await run(t, adapter, kinds[0] as ValueKind, true);
  });
}

t.test('a store over processes that another process does not see is noticed', async (t) => {
  const mooncake = await loadAdapter('mooncake');
  const setup = { kind: 'str', keys: KEYS, threads: 2, processes: true, valueBytes: 100 } as const;
  let opened = 0;
  const apart: Adapter = {
    ...mooncake,
    init: async () => {
      const hosts = [await mooncake.init(setup), await mooncake.init(setup)];
      return {
        handle: () => (hosts[opened++] as Host).handle(0),
        close: () => {
          for (const host of hosts) host.close();
        },
      };
    },
  };
  await t.rejects(Team.assemble(apart, { setup, seed: 1 }), /came back wrong/);
});

t.test('the check notices a store that forgets', async (t) => {
  const map = await loadAdapter('map');
  const setup = { kind: 'str', keys: KEYS, threads: 2, processes: false, valueBytes: 100 } as const;
  // Declared as shared, only the first thread's Map is filled.
  const forgetful = { ...map, shared: true };
  const assembled = Team.assemble(forgetful, { setup, seed: 1 });
  await t.rejects(assembled, /came back wrong/);
});

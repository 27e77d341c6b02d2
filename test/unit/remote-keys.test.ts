/** Names at the remote: no two things share one, each is read back, and a lease lies in the slot of its entry. */
import t from 'tap';
import { RemoteKeys } from '../../src/tier/remote-keys.js';
import { wholeNumbers } from '../fixtures/random.js';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const PARTS = [
  '',
  'a',
  'é😀',
  '{',
  '}',
  '{}',
  '{x}',
  '\0',
  '\0e',
  '\0k',
  '%',
  '%0000',
  ':',
  '1:a',
  '\ud800',
  '\udc00',
  ' ',
];
const PREFIXES = ['app:', '{app}:', 'x{y}z', '~', '~lease:', '%'];
t.comment(`SEED=${SEED}`);

const random = wholeNumbers(SEED);
const text = (): string => Array.from({ length: random(4) }, () => PARTS[random(PARTS.length)]).join('');

/** What a cluster hashes of a key: what is in its first braces, unless that is nothing. */
function slotText(key: string): string {
  const start = key.indexOf('{');
  const end = start < 0 ? -1 : key.indexOf('}', start + 1);
  return end > start + 1 ? key.slice(start + 1, end) : key;
}

for (const prefix of PREFIXES) {
  t.test(prefix, async (t) => {
    const keys = new RemoteKeys(prefix);
    const made = new Map<string, string>();
    for (let i = 0; i < 3_000; i++) {
      const path = Array.from({ length: random(3) }, text);
      const key = text();
      const names: [string, object][] = [
        [keys.entry(path, key), { kind: 'entry', path, key }],
        [keys.tag(path, key), { kind: 'tag', path, tag: key }],
        [keys.all(path), { kind: 'all', path }],
      ];
      for (const [name, thing] of names) {
        const same = made.get(name) ?? JSON.stringify(thing);
        made.set(name, same);
        if (same !== JSON.stringify(thing)) t.fail(`${JSON.stringify(name)} is ${same} and ${JSON.stringify(thing)}`);
        if (!name.isWellFormed() || !name.startsWith(prefix)) t.fail(JSON.stringify(name));
        if (JSON.stringify(keys.parse(name)) !== JSON.stringify(thing))
          t.fail(`${JSON.stringify(name)} is read as another`);
      }
      const entry = names[0][0];
      const lease = keys.lease(entry);
      if (slotText(lease) !== slotText(entry)) t.fail(`${JSON.stringify(entry)} and its lease are in different slots`);
      if (lease.startsWith(prefix)) t.fail(`${lease} is told of`);
      const freed = keys.parse(keys.freed(entry));
      if (freed?.kind !== 'freed' || freed.entry !== entry) t.fail(`what frees ${JSON.stringify(entry)}`);
    }
    t.equal(keys.parse('of another program'), undefined);
    t.pass(`${made.size} names`);
  });
}

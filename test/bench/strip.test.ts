import t from 'tap';
import { BASE, ENGINES, WHOLE } from '../../bench/micro/engines.js';
import { importStripped, replaceBodies } from '../../bench/micro/strip.js';
import { ONLY_LONG } from '../fixtures/effort.js';

const TEXT = `
export function add(a, b) {
  return a + b;
}
class Counter {
  count = 0;
  add2() { this.count += 2; }
}
`;

t.test('bodies are replaced, everything else stays', async (t) => {
  const text = replaceBodies(TEXT, { add: 'return a - b;', add2: '' });
  t.equal(text, TEXT.replace('{\n  return a + b;\n}', '{ return a - b; }').replace('{ this.count += 2; }', '{  }'));
  t.equal(replaceBodies(TEXT, {}), TEXT);
});

t.test('a name that is not there, or there twice, is an error', async (t) => {
  t.throws(() => replaceBodies(TEXT, { subtract: '' }), { message: '0 functions are called subtract' });
  t.throws(() => replaceBodies(TEXT + TEXT, { add: '' }), { message: '2 functions are called add' });
  await t.rejects(importStripped({ 'memory/nowhere.js': {} }), { message: /no memory\/nowhere\.js/ });
});

t.test('one of the engines is whole, one is what it is compared with', async (t) => {
  const names = ENGINES.map(({ name }) => name);
  t.ok(names.includes(WHOLE) && names.includes(BASE));
  t.equal(new Set(names).size, names.length);
});

for (const { name, bodies } of ENGINES) {
  t.test(`the engine ${name} still works where nobody dies`, ONLY_LONG, async (t) => {
    const { SharedCache } = await importStripped(bodies);
    const cache = new SharedCache<string>({ maxBytes: '1MB', maxEntries: 200, sweep: false });
    for (let i = 0; i < 1_000; i++) cache.put(`key ${i % 400}`, `value ${i}`);
    cache.put('key', 'old');
    cache.put('key', 'new');
    t.equal(cache.get('key'), 'new');
    t.ok(cache.delete('key'));
    t.notOk(cache.has('key'));
    t.ok(cache.getStats().evictions > 0);
    // Without an owner nobody writes the version that a repair would unlock with.
    const { problems } = cache.inspect();
    t.same(
      problems.filter((problem) => !name.endsWith('owner') || !/the version beside it/.test(problem)),
      [],
    );
    cache.close();
  });
}

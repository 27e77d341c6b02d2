/**
 * Programs that freeze Object.prototype, or give it or Array.prototype setters: keys and properties of any name are put and
 * read as ever. In processes of their own, since this one's test runner would not survive it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);
const library = JSON.stringify(import.meta.resolve('mooncake-cache'));

const meddling: Record<string, string> = {
  'a frozen Object.prototype and Array.prototype': 'Object.freeze(Object.prototype); Object.freeze(Array.prototype);',
  'setters under the names that are used': `
for (const name of ['x', 'y', 'constructor', 'toString', 'k3', 'value', 'get', 'message'])
  for (const prototype of name === 'constructor' ? [Object.prototype] : [Object.prototype, Array.prototype])
    Object.defineProperty(prototype, name, { __proto__: null, configurable: true, get() { return 'inherited'; }, set() { throw new Error(name); } });`,
  'setters under the numbers that arrays use': `
for (const name of ['0', '1', '7', '100'])
  for (const prototype of [Object.prototype, Array.prototype])
    Object.defineProperty(prototype, name, { __proto__: null, configurable: true, get() { return 'inherited'; }, set() { throw new Error(name); } });`,
  'read-only properties under the names that are used': `
for (const name of ['x', 'y', 'k3', '7'])
  Object.defineProperty(Object.prototype, name, { __proto__: null, configurable: true, writable: false, value: 'inherited' });`,
};

const script = (meddle: string, frozen: boolean): string => `
import { writeSync } from 'node:fs';
const { SharedCache } = await import(${library});
const stringify = JSON.stringify;
const cache = new SharedCache({ maxBytes: '1MB', frozen: ${frozen} });
const many = {};
for (let i = 0; i < 40; i++) many['k' + i] = i;
let deep = { x: [1] };
for (let level = 0; level < 100; level++) deep = level % 2 ? [deep] : { x: deep, 7: level };
const values = { constructor: { constructor: 1, toString: 2 }, toString: [1, [2, 3]], x: { x: 1, y: [1, 2, 3] }, __proto: JSON.parse('{"__proto__":{"x":1}}'),
  many, deep, valueOf: { 0: 'a', 1: 'b', 7: 'c' }, descriptor: { value: 1, get: 2, writable: 3 }, long: Array.from({ length: 2000 }, (_, i) => i) };
const names = Object.keys(values);
const texts = names.map((name) => stringify(values[name]));
cache.put('warm', values);
cache.get('warm');
${meddle}
let wrong = '';
for (let i = 0; i < names.length; i++) {
  if (!cache.put(names[i], values[names[i]]) || stringify(cache.get(names[i])) !== texts[i]) wrong += names[i] + ' ';
}
const error = (cache.put('error', new RangeError('message', { cause: 1 })), cache.get('error'));
if (!Object.hasOwn(error, 'message') || error.cause !== 1) wrong += 'error ';
// Evictions, sweeps, chains of blocks, and the near-cache: what works on lists of slots, refs and hashes.
const long = 'v'.repeat(12_000);
for (let i = 0; i < 20_000; i++) {
  cache.put('flood' + i, i % 100 ? i : long, { ttl: i % 3 ? 60_000 : 1 });
  if (i % 100 && cache.get('flood' + i) !== i && i % 3) wrong += 'flood' + i + ' ';
}
cache.put('tagged', long, { tags: ['s', 't'], ttl: 60_000 });
cache.touch('tagged', 50_000);
cache.cleanupExpired();
cache.increment('number');
if (stringify(cache.entry('tagged').tags) !== '["s","t"]' || cache.get('tagged') !== long) wrong += 'tagged ';
if (cache.increment('number') !== 2 || stringify(cache.getMany(['number', 'tagged'])) !== stringify([2, long])) wrong += 'many ';
if (!cache.inspect().ok) wrong += cache.inspect().problems[0];
writeSync(1, wrong === '' ? 'all as they were' : wrong);
process.reallyExit(0);
`;

for (const [name, meddle] of Object.entries(meddling)) {
  for (const frozen of [false, true]) {
    t.test(`${name}${frozen ? ', frozen values' : ''}`, async (t) => {
      const args = ['--input-type=module', '-e', script(meddle, frozen)];
      const { stdout } = await run(process.execPath, args, { timeout: 30_000 });
      t.equal(stdout, 'all as they were');
    });
  }
}

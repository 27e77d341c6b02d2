/**
 * jest and vitest run tests in realms of their own (node:vm), where a Map of another realm is no instance of Map. Values
 * come back as instances of the classes that the test sees, under each way of loading the library.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { ONLY_LONG } from '../fixtures/effort.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const { resolve } = createRequire(import.meta.url);
const jest = `${dirname(resolve('jest/package.json'))}/bin/jest.js`;
const vitest = `${dirname(resolve('vitest/package.json'))}/vitest.mjs`;
const run = promisify(execFile);

const body = `
  const cache = new SharedCache({ maxBytes: '1MB' });
  const memory = new ArrayBuffer(16);
  const value = {
    map: new Map([[1, new Set(['a'])]]), date: new Date(5), regExp: /x/g, big: 3n, list: [{ a: [1] }], boxed: new Number(1),
    error: new RangeError('far', { cause: [1] }), all: new AggregateError([new TypeError('t')], 'all'),
    floats: new Float64Array([1.5]), bytes: new Uint8Array([1]), buffer: Buffer.from('b'),
    memory, part: new Uint16Array(memory, 4, 2), match: /b/.exec('abc'), holes: Object.assign(new Array(9000), { 1: 'x' }),
  };
  value.self = value;
  cache.put('key', value);
  const got = cache.get('key');
  expect(got).toEqual(value);
  const classes = {
    map: Map, date: Date, regExp: RegExp, list: Array, boxed: Number, error: RangeError, all: AggregateError, self: Object,
    floats: Float64Array, bytes: Uint8Array, buffer: Buffer, memory: ArrayBuffer, part: Uint16Array, match: Array, holes: Array,
  };
  for (const [name, type] of Object.entries(classes)) expect([name, got[name] instanceof type]).toEqual([name, true]);
  expect(got.map.get(1) instanceof Set).toBe(true);
  expect(got.all.errors[0] instanceof TypeError).toBe(true);
  expect(() => cache.put('key', () => 1)).toThrow(SharedCacheError);
  cache.close();
`;

function project(t: Pick<typeof import('tap').t, 'testdir'>, files: Record<string, string>): string {
  const folder = t.testdir({ ...files, node_modules: {} });
  mkdirSync(`${folder}/node_modules`, { recursive: true });
  symlinkSync(root, `${folder}/node_modules/mooncake-cache`);
  return folder;
}

t.test('jest, as an ES module and as CommonJS', ONLY_LONG, async (t) => {
  const folder = project(t, {
    'package.json': JSON.stringify({
      private: true,
      jest: {
        testEnvironment: 'node',
        // Else it leaves one in the temporary directory of the machine.
        cacheDirectory: '<rootDir>/cache',
        transform: {},
        testMatch: ['**/*.spec.*js'],
        moduleFileExtensions: ['js', 'mjs', 'cjs'],
      },
    }),
    'module.spec.mjs': `import { SharedCache, SharedCacheError } from 'mooncake-cache';\ntest('module', () => {${body}});`,
    'common.spec.cjs': `test('common', async () => {
  const { SharedCache, SharedCacheError } = await import('mooncake-cache');${body}});`,
  });
  const env = { ...process.env, NODE_OPTIONS: '--experimental-vm-modules' };
  const { stderr } = await run(process.execPath, [jest, '--rootDir', folder], { cwd: folder, env, timeout: 90_000 });
  t.match(stderr, /Tests: +2 passed, 2 total/);
});

for (const pool of ['threads', 'vmThreads', 'vmForks']) {
  t.test(`vitest, pool ${pool}`, ONLY_LONG, async (t) => {
    const folder = project(t, {
      'a.test.mjs': `import { SharedCache, SharedCacheError } from 'mooncake-cache';
import { expect, test } from 'vitest';
test('module', () => {${body}});`,
    });
    const args = [vitest, 'run', '--root', folder, '--pool', pool, '--no-color'];
    const env = { ...process.env, NODE_OPTIONS: '' };
    const { stdout } = await run(process.execPath, args, { cwd: root, env, timeout: 90_000 });
    t.match(stdout, /Tests +1 passed/);
  });
}

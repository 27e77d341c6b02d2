import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { ByteLocks } from '../../src/process/byte-locks.js';
import { mapRegions, PAGE_BYTES, roundToPages, unmapRegions } from '../../src/process/mapping.js';
import { loadNative, type Native, type NativeSource, SOURCES } from '../../src/process/native.js';
import { platformOf } from '../../src/process/platform.js';
import { folderFor } from '../fixtures/process/folder.js';

type Test = Pick<typeof t, 'equal' | 'comment'>;
const NAMES = ['koffi', 'node:ffi'];

/** Each way to call the C library that this Node has. */
function eachNative(t: Test, body: (native: Native, name: string) => void): void {
  for (const [i, source] of SOURCES.entries()) {
    let native: Native;
    try {
      native = loadNative([source]);
    } catch (error) {
      t.equal(NAMES[i], 'node:ffi', 'koffi is installed');
      t.comment(`${NAMES[i]} is not there: ${((error as Error).cause as AggregateError).errors[0]}`);
      continue;
    }
    body(native, NAMES[i]);
  }
}

t.test('regions of a file are shared memory', async (t) => {
  const path = `${folderFor(t)}/regions`;
  eachNative(t, (native, name) => {
    writeFileSync(path, Buffer.alloc(5 * PAGE_BYTES));
    const file = openSync(path, 'r+');
    const [first, second] = mapRegions(native, file, PAGE_BYTES, [100, PAGE_BYTES + 1]);
    t.same([first.byteLength, second.byteLength], [PAGE_BYTES, 2 * PAGE_BYTES], `${name}: whole pages`);
    t.ok(first instanceof SharedArrayBuffer);
    const words = new Int32Array(second);
    Atomics.store(words, 3, 0x01020304);
    const bytes = Buffer.alloc(4);
    readSync(file, bytes, 0, 4, 2 * PAGE_BYTES + 12);
    t.equal(bytes.readInt32LE(), 0x01020304, 'what is stored is in the file');
    const [again] = mapRegions(native, file, 2 * PAGE_BYTES, [PAGE_BYTES]);
    t.equal(new Int32Array(again)[3], 0x01020304, 'and in every other mapping');
    t.equal(Atomics.wait(words, 0, 0, 1), 'timed-out', 'one can wait on it');
    unmapRegions(native, [second]);
    t.equal(words[3], 0, 'unmapped it is empty memory');
    words[3] = 1;
    t.equal(new Int32Array(again)[3], 0x01020304, 'of its own');
    closeSync(file);
    t.throws(() => mapRegions(native, file, 0, [PAGE_BYTES]), { code: 'ERR_NO_MAPPING' });
  });
  t.equal(roundToPages(1), PAGE_BYTES);
});

t.test('byte locks belong to one open file', async (t) => {
  const path = `${folderFor(t)}/locks`;
  writeFileSync(path, '');
  eachNative(t, (native, name) => {
    const files = [openSync(path, 'r+'), openSync(path, 'r+')];
    const [one, other] = files.map((file) => new ByteLocks(native, file));
    t.ok(one.tryLock(5), name);
    t.ok(one.tryLock(5), 'whose it is may lock it again');
    t.notOk(one.isHeldElsewhere(5));
    t.notOk(other.tryLock(5));
    t.notOk(other.tryShare(5));
    t.ok(other.isHeldElsewhere(5));
    t.ok(other.tryLock(6), 'its neighbours are free');
    t.ok(other.tryLock(4));
    one.unlock(5);
    t.ok(one.tryShare(5));
    t.ok(other.tryShare(5), 'shared by two');
    t.ok(one.isHeldElsewhere(5));
    t.ok(other.isHeldElsewhere(5));
    other.unlock(5);
    t.notOk(one.isHeldElsewhere(5));
    closeSync(files[0]);
    t.notOk(other.isHeldElsewhere(5), 'a closed file holds none');
    closeSync(files[1]);
    t.ok(other.isHeldElsewhere(5), 'a question without an answer is no clear no');
    t.throws(() => other.tryLock(5), { code: 'ERR_INVALID_FILE' });
  });
});

t.test('without a way to call the C library', async (t) => {
  const missing: NativeSource = () => {
    throw new Error('not installed');
  };
  t.throws(() => loadNative([missing, missing]), { code: 'ERR_NO_MAPPING', message: /npm install koffi/ });
  t.ok(loadNative([missing, ...SOURCES]), 'the next way is tried');
  t.throws(() => loadNative(SOURCES, 'win32', 'x64'), { code: 'ERR_UNSUPPORTED_PLATFORM', message: /win32 on x64/ });
  t.throws(() => loadNative(SOURCES, 'linux', 'arm'), { code: 'ERR_UNSUPPORTED_PLATFORM' });
  t.throws(() => loadNative(SOURCES, 'freebsd', 'x64'), { code: 'ERR_UNSUPPORTED_PLATFORM' });
  t.ok(platformOf('darwin', 'arm64'));
});

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import t from 'tap';
import { openFile } from '../../src/process/open.js';
import { removeFile } from '../../src/process/remove.js';
import { contentOf, counterOf, LAYOUT, revivalsOf } from '../fixtures/process/content.js';
import { folderFor } from '../fixtures/process/folder.js';

/** Where the header has its words: what a damaged or an old file differs in. */
const AT = { fileVersion: 8, layoutVersion: 12, state: 16, clean: 20, bootId: 24, sizes: 128 };
const content = contentOf();
const existing = { ...content, mustExist: true };

function write(path: string, at: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
}

/** Opens, counts one and closes. */
function visit(path: string): { origin: string; count: number; reboots: number } {
  const { place, origin } = openFile(path, content);
  const count = Atomics.add(counterOf(place.buffers), 0, 1) + 1;
  const { reboots } = revivalsOf(place.buffers);
  place.close();
  return { origin, count, reboots };
}

t.test('new, joined, warm', async (t) => {
  const path = `${folderFor(t)}/cache`;
  const first = openFile(path, content);
  t.equal(first.origin, 'new');
  t.equal(statSync(path).mode & 0o777, 0o600);
  const second = openFile(path, content);
  t.equal(second.origin, 'joined');
  counterOf(first.place.buffers)[0] = 5;
  t.equal(counterOf(second.place.buffers)[0], 5);
  first.place.close();
  const third = openFile(path, content);
  t.equal(third.origin, 'joined', 'while one of them is left');
  second.place.close();
  third.place.close();
  third.place.close();
  const fourth = openFile(path, content);
  t.equal(fourth.origin, 'warm');
  t.equal(counterOf(fourth.place.buffers)[0], 5);
  t.same(revivalsOf(fourth.place.buffers), { revivals: 1, reboots: 0 }, 'revived once, by the one who found it unused');
  fourth.place.close();
  t.same(readdirSync(path.slice(0, -6)), ['cache'], 'and nothing lies beside it');
});

t.test('the options are those of the file', async (t) => {
  const path = `${folderFor(t)}/cache`;
  openFile(path, contentOf('one')).place.close();
  const before = readFileSync(path);
  t.throws(() => openFile(path, contentOf('two')), { message: 'made with one, asked for two' });
  t.ok(readFileSync(path).equals(before), 'an open that disagrees changes nothing');
  const again = openFile(path, contentOf('one'));
  t.equal(again.origin, 'warm');
  t.equal(again.made, 'one');
  t.throws(() => openFile(path, contentOf('two')), { message: 'made with one, asked for two' });
  again.place.close();
  const wrong = {
    ...contentOf(),
    describe: () => {
      throw new Error('no such options');
    },
  };
  t.throws(() => openFile(`${path}-2`, wrong), { message: 'no such options' });
  t.notOk(existsSync(`${path}-2`), 'options that cannot be make no file');
  t.throws(() => openFile(`${path}-3`, contentOf('x'.repeat(100_000))), { code: 'ERR_INVALID_OPTION' });
  t.notOk(existsSync(`${path}-3`));
  const failing = {
    ...contentOf(),
    fill: () => {
      throw new Error('cannot be filled');
    },
  };
  t.throws(() => openFile(`${path}-4`, failing), { message: 'cannot be filled' });
  t.notOk(existsSync(`${path}-4`));
});

t.test('an empty file of one’s own is new', async (t) => {
  const path = `${folderFor(t)}/cache`;
  writeFileSync(path, '', { mode: 0o644 });
  t.equal(visit(path).origin, 'new');
  t.equal(statSync(path).mode & 0o777, 0o600);
});

t.test('what is no cache file is left alone', async (t) => {
  const folder = folderFor(t);
  const path = `${folder}/thing`;
  for (const text of ['x', 'MOON', 'a text file\n', 'z'.repeat(200_000), Buffer.alloc(100_000)]) {
    writeFileSync(path, text);
    chmodSync(path, 0o640);
    const before = statSync(path);
    t.throws(() => openFile(path, content), { code: 'ERR_INVALID_FILE', message: /not one of a cache/ });
    t.throws(() => removeFile(path), { code: 'ERR_INVALID_FILE', message: /not one of a cache/ });
    t.ok(readFileSync(path).equals(Buffer.from(text)));
    t.equal(statSync(path).mtimeMs, before.mtimeMs);
    t.equal(statSync(path).mode, before.mode);
  }
  symlinkSync(path, `${folder}/link`);
  symlinkSync(`${folder}/nowhere`, `${folder}/dangling`);
  mkdirSync(`${folder}/folder`);
  spawnSync('mkfifo', [`${folder}/pipe`]);
  for (const name of ['link', 'dangling', 'folder', 'pipe', 'thing/below']) {
    t.throws(() => openFile(`${folder}/${name}`, content), { code: 'ERR_INVALID_FILE' }, name);
    t.throws(() => removeFile(`${folder}/${name}`), { code: 'ERR_INVALID_FILE' }, name);
  }
  t.throws(() => openFile('/dev/null', content), { code: 'ERR_INVALID_FILE' });
  t.throws(() => openFile(`${folder}/no/such`, content), { code: 'ERR_INVALID_FILE', message: /ENOENT/ });
  t.notOk(existsSync(`${folder}/nowhere`));
  for (const wrong of ['', 'a\0b', 5, undefined, null, {}]) {
    t.throws(() => openFile(wrong as string, content), { code: 'ERR_INVALID_ARGUMENT' });
    t.throws(() => removeFile(wrong as string), { code: 'ERR_INVALID_ARGUMENT' });
  }
});

t.test('a relative path in a folder that was removed', async (t) => {
  const before = process.cwd();
  const folder = `${folderFor(t)}/gone`;
  mkdirSync(folder);
  process.chdir(folder);
  t.teardown(() => process.chdir(before));
  rmdirSync(folder);
  t.throws(() => openFile('cache', content), { code: 'ERR_INVALID_FILE', cause: { code: 'ENOENT' } });
  t.throws(() => removeFile('cache'), { code: 'ERR_INVALID_FILE' });
});

t.test('a folder in which others may replace files', async (t) => {
  const folder = `${folderFor(t)}/open`;
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  t.throws(() => openFile(`${folder}/cache`, content), { code: 'ERR_INVALID_FILE', message: /sticky/ });
  t.same(readdirSync(folder), []);
  chmodSync(folder, 0o1777);
  t.equal(visit(`${folder}/cache`).origin, 'new', 'with the sticky bit only the owner may');
});

t.test(
  'another user’s file',
  { skip: process.getuid?.() === 0 ? false : 'only root can give files away' },
  async (t) => {
    const path = `${folderFor(t)}/cache`;
    visit(path);
    chownSync(path, 12_345, 12_345);
    t.throws(() => openFile(path, content), { code: 'ERR_INVALID_FILE', message: /belongs to user 12345/ });
    t.throws(() => removeFile(path), { code: 'ERR_INVALID_FILE' });
  },
);

t.test('what must be there', async (t) => {
  const path = `${folderFor(t)}/cache`;
  t.throws(() => openFile(path, existing), { code: 'ERR_INVALID_FILE', message: /there is no such file/ });
  t.notOk(existsSync(path), 'nothing is made');
  writeFileSync(path, '');
  t.throws(() => openFile(path, existing), { code: 'ERR_INVALID_FILE', message: /it is empty/ });
  t.equal(statSync(path).size, 0);
  visit(path);
  const opened = openFile(path, existing);
  t.equal(opened.origin, 'warm');
  const joined = openFile(path, existing);
  t.equal(joined.origin, 'joined');
  joined.place.close();
  opened.place.close();
  write(path, AT.state, Buffer.from([1]));
  const before = readFileSync(path);
  t.throws(() => openFile(path, existing), { code: 'ERR_INVALID_FILE', message: /died before it was done/ });
  t.ok(readFileSync(path).equals(before));
});

t.test('another version’s file', async (t) => {
  const path = `${folderFor(t)}/cache`;
  visit(path);
  const later = { ...content, layoutVersion: LAYOUT + 1 };
  const before = readFileSync(path);
  t.throws(() => openFile(path, later), { code: 'ERR_INVALID_FILE', message: /another version/ });
  t.ok(readFileSync(path).equals(before));
  t.equal(removeFile(path), true, 'can be removed');
  t.equal(openFile(path, later).origin, 'new');
});

t.test('a file of a version to come, whose header this one cannot read', async (t) => {
  const path = `${folderFor(t)}/cache`;
  visit(path);
  write(path, AT.fileVersion, Buffer.from([2]));
  const before = readFileSync(path);
  t.throws(() => openFile(path, content), { code: 'ERR_INVALID_FILE', message: /another version/ });
  t.ok(readFileSync(path).equals(before));
  t.equal(removeFile(path), true);
});

/** Ways in which a cache file can be damaged. */
const DAMAGE: Record<string, (path: string) => void> = {
  'cut to half': (path) => truncateSync(path, statSync(path).size / 2),
  'cut to its header': (path) => truncateSync(path, 65_536),
  'cut within its header': (path) => truncateSync(path, 100),
  'cut by a byte': (path) => truncateSync(path, statSync(path).size - 1),
  'longer than it was': (path) => truncateSync(path, statSync(path).size + 65_536),
  'another region size': (path) => write(path, AT.sizes, Buffer.from([1, 2, 3])),
  'an impossible state': (path) => write(path, AT.state, Buffer.from([9])),
  'other options': (path) => write(path, 16_384, Buffer.from('X')),
  'a region of zeros': (path) => write(path, 65_536, Buffer.alloc(65_536)),
  'an impossible layout version': (path) => write(path, AT.layoutVersion, Buffer.from([99])),
  'an impossible file version': (path) => write(path, AT.fileVersion, Buffer.from([1, 1, 1, 1])),
  'a boot before, not clean': (path) => {
    write(path, AT.bootId, Buffer.from('x'.repeat(36)));
    write(path, AT.clean, Buffer.alloc(4));
  },
};

for (const [name, damage] of Object.entries(DAMAGE)) {
  t.test(`damaged: ${name}`, async (t) => {
    const path = `${folderFor(t)}/cache`;
    visit(path);
    damage(path);
    t.match(visit(path), { origin: 'discarded', count: 1 });
    t.match(visit(path), { origin: 'warm', count: 2 });
    damage(path);
    const damaged = readFileSync(path);
    t.throws(() => openFile(path, existing), { code: 'ERR_INVALID_FILE', message: /damaged, or was left/ });
    t.ok(readFileSync(path).equals(damaged), 'an open of what must be there discards nothing');
    t.equal(removeFile(path), true, 'can be removed');
    // Who has it in use keeps what is there; the name is given to a fresh one. Nobody touches what was cut off.
    if (name.startsWith('a boot')) return;
    const user = openFile(path, content);
    damage(path);
    t.throws(() => openFile(path, existing), { code: 'ERR_INVALID_FILE' });
    t.equal(statSync(path).ino, user.place.handle.ino, 'it keeps its name');
    const next = openFile(path, content);
    t.equal(next.origin, 'discarded');
    t.not(next.place.handle.ino, user.place.handle.ino);
    next.place.close();
    user.place.close();
    t.equal(visit(path).origin, 'warm');
  });
}

t.test('after a start of the machine', async (t) => {
  for (const base of ['memory', 'disk'] as const) {
    const path = `${folderFor(t, base)}/cache`;
    const otherBoot = (): void => write(path, AT.bootId, Buffer.from('00000000-0000-0000-0000-000000000000'));
    visit(path);
    otherBoot();
    t.same(visit(path), { origin: 'warm', count: 2, reboots: 1 }, `${base}: all had closed it`);
    t.same(visit(path), { origin: 'warm', count: 3, reboots: 1 }, 'and the boot is noted');
    otherBoot();
    const one = openFile(path, content);
    const two = openFile(path, content);
    one.place.close();
    otherBoot();
    t.equal(openFile(path, content).origin, 'joined', 'in use it was not left by a machine');
    t.equal(readFileSync(path)[AT.clean], 0);
    two.place.close();
    t.equal(readFileSync(path)[AT.clean], 0, 'the third is still there');
  }
});

t.test('removing', async (t) => {
  const path = `${folderFor(t)}/cache`;
  t.equal(removeFile(path), false);
  const user = openFile(path, content);
  t.equal(removeFile(path), true);
  t.equal(removeFile(path), false);
  counterOf(user.place.buffers)[0] = 7;
  const next = openFile(path, content);
  t.equal(next.origin, 'new', 'the name is free');
  t.equal(counterOf(next.place.buffers)[0], 0);
  t.equal(counterOf(user.place.buffers)[0], 7, 'who uses it goes on');
  user.place.close();
  t.equal(visit(path).origin, 'joined');
  next.place.close();
  writeFileSync(`${path}-2`, '');
  t.equal(removeFile(`${path}-2`), true, 'an empty file is what a death while opening leaves');
});

t.test('a name that changes hands while one waits for it', async (t) => {
  const path = `${folderFor(t)}/cache`;
  visit(path);
  const other = `${path}-other`;
  visit(other);
  let moved = false;
  const watching = {
    ...content,
    describe() {
      if (!moved) renameSync(other, path);
      moved = true;
      return content.describe();
    },
  };
  unlinkSync(path);
  t.equal(openFile(path, watching).origin, 'warm', 'the file that has the name then is the one');
});

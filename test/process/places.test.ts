import { once } from 'node:events';
import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { openFile } from '../../src/process/open.js';
import { Place } from '../../src/process/place.js';
import { removeFile } from '../../src/process/remove.js';
import { Child } from '../fixtures/process/child.js';
import { contentOf, counterOf } from '../fixtures/process/content.js';
import { folderFor } from '../fixtures/process/folder.js';

const content = contentOf();
const worker = (place: Place): Worker =>
  new Worker(new URL('../fixtures/process/place-worker.js', import.meta.url), {
    workerData: { handle: place.handle, buffers: place.buffers },
    execArgv: [],
  });

t.test('a thread that ends, however it ends, is known to be gone', async (t) => {
  const path = `${folderFor(t)}/cache`;
  const { place } = openFile(path, content);
  const records = place.threadRecords();
  t.notOk(records.isTaken(3));
  t.ok(records.tryTake(3));
  t.ok(records.isTaken(3), 'one’s own is taken');
  const thread = worker(place);
  t.same(await once(thread, 'message'), [{ took: [false, true], count: 1 }], 'record 3 is taken, 4 is free');
  t.ok(records.isTaken(4));
  t.equal(counterOf(place.buffers)[0], 1);
  await thread.terminate();
  t.notOk(records.isTaken(4), 'terminated');

  const child = new Child();
  t.match(await child.ask({ do: 'open', path }), { origin: 'joined' });
  t.equal(await child.ask({ do: 'isTaken', record: 3 }), true, 'seen by another process');
  t.equal(await child.ask({ do: 'take', record: 4 }), true);
  t.equal(await child.ask({ do: 'sweep' }), true);
  t.notOk(place.trySweep(), 'one sweeps');
  t.ok(records.isTaken(4));
  await child.kill();
  t.notOk(records.isTaken(4), 'killed');
  t.ok(place.trySweep(), 'and the next one takes over');
  records.release();
  t.notOk(records.isTaken(3));
  place.close();
});

t.test('a thread joins a file whose name is gone, while another of the process has it', async (t) => {
  const path = `${folderFor(t)}/cache`;
  const first = openFile(path, content).place;
  removeFile(path);
  const other = openFile(path, content).place;
  const joined = Place.join(first.handle, first.buffers);
  first.close();
  const again = Place.join(joined.handle, joined.buffers);
  counterOf(again.buffers)[0] = 9;
  t.equal(counterOf(joined.buffers)[0], 9);
  t.equal(counterOf(other.buffers)[0], 0);
  again.close();
  joined.close();
  t.throws(() => Place.join(first.handle, first.buffers), { code: 'ERR_INVALID_HANDLE', message: /closed it/ });
  other.close();
});

t.test('a thread that joins keeps the file from being taken for clean', async (t) => {
  const path = `${folderFor(t)}/cache`;
  const { place } = openFile(path, content);
  const thread = worker(place);
  await once(thread, 'message');
  await thread.terminate();
  // The ended thread is still counted as a user of the mapping, so it can be joined after the last has closed.
  place.close();
  const clean = (): number => readFileSync(path)[20];
  t.equal(clean(), 1);
  const late = Place.join(place.handle, place.buffers);
  t.equal(clean(), 0);
  late.close();
  t.equal(clean(), 1);
});

t.test('closing gives everything back at once', async (t) => {
  const folder = folderFor(t);
  const path = `${folder}/cache`;
  const used = (): number => {
    const { blocks, bfree, bsize } = statfsSync(folder);
    return (blocks - bfree) * bsize;
  };
  const mappings = (): number => readFileSync('/proc/self/maps', 'latin1').split(folder).length - 1;
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const big = contentOf('big', 8 * 2 ** 20);
  const before = { mappings: mappings(), descriptors: descriptors() };
  const usedBefore = used();
  for (let round = 0; round < 200; round++) {
    const one = openFile(path, big).place;
    const two = Place.join(one.handle, one.buffers);
    const three = openFile(path, big).place;
    for (const place of [one, two, three]) place.close();
    removeFile(path);
  }
  t.same({ mappings: mappings(), descriptors: descriptors() }, before);
  t.ok(used() - usedBefore < 100 * 2 ** 20, 'the memory of removed files is free again');
});

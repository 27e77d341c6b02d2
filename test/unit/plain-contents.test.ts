/** What of a dump is read ahead, and cannot be read, is told when it is asked for: no rejection is left without a listener. */
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { SharedCacheError } from '../../src/errors.js';
import { InputFile } from '../../src/snapshot/input-file.js';
import { Pace } from '../../src/snapshot/pace.js';
import { PlainContents } from '../../src/snapshot/plain-contents.js';
import { dumpFile } from '../fixtures/snapshots.js';
import { withCache } from '../fixtures/with-cache.js';

t.test('a block that cannot be read, while the one before it is worked on', async (t) => {
  const cache = withCache<string>(t);
  for (let i = 0; i < 5_000; i++) cache.put(`key ${i}`, 'v'.repeat(100));
  const path = dumpFile(t);
  await cache.dump(path);
  const file = await InputFile.open(path);
  t.teardown(() => file.close());
  const contents = await PlainContents.of(file, new Pace({}), cache.maxEntryBytes);
  const unheard: unknown[] = [];
  const hear = (reason: unknown): void => void unheard.push(reason);
  process.on('unhandledRejection', hear);
  t.teardown(() => process.off('unhandledRejection', hear));
  const read = file.read.bind(file);
  let reads = 0;
  file.read = (into, position) => (reads++ === 0 ? read(into, position) : Promise.reject(file.invalid('it is gone')));
  let seen = 0;
  const walk = async (): Promise<void> => {
    for await (const { payload } of contents.oldestFirst()) {
      t.ok(Buffer.isBuffer(payload));
      seen++;
      await turn();
      await turn();
    }
  };
  await t.rejects(walk(), SharedCacheError);
  t.equal(seen, 1);
  t.same(unheard, []);
});

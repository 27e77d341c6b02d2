/** A cache file of more than 4 GiB, full, read by another process, and again after both are gone. Only in the long run. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { SharedCache } from 'mooncake-cache';
import t from 'tap';
import { messageOrEnd } from '../../bench/message-or-end.js';
import { LONG } from '../fixtures/effort.js';
import { folderFor } from '../fixtures/process/folder.js';
import { bytesOf, KEYS, keyOf, type Seen } from '../fixtures/process/large.js';

const GIB = 2 ** 30;
/** A third more than the values take: keys are not spread evenly over the shards. */
const MAX_BYTES = 6 * GIB;
const NEEDED_BYTES = 8 * GIB;
const reader = fileURLToPath(new URL('../fixtures/process/large-reader.js', import.meta.url));
t.setTimeout(240_000);

function whyNot(folder: string): string | false {
  if (!LONG) return 'in npm run test:long';
  const { bavail, bsize } = statfsSync(folder);
  const room = Math.min(bavail * bsize, freemem());
  return room < NEEDED_BYTES && `${(room / GIB).toFixed(1)} GiB of memory are free, and 8 are needed`;
}

async function readElsewhere(path: string): Promise<Seen> {
  const child = fork(reader, [path], { execArgv: [] });
  const ended = once(child, 'exit');
  const seen = (await messageOrEnd(child)) as Seen | undefined;
  child.kill('SIGKILL');
  await ended;
  if (seen === undefined) throw new Error('the reader ended by itself');
  return seen;
}

const folder = folderFor(t);
t.test('more than 4 GiB over processes', { skip: whyNot(folder) }, async (t) => {
  const path = `${folder}/cache`;
  const cache = SharedCache.open<Buffer>(path, { maxBytes: MAX_BYTES, averageEntryBytes: 2 ** 24, sweep: false });
  for (let number = 0; number < KEYS; number++) t.equal(cache.put(keyOf(number), bytesOf(number)), true);
  t.equal(cache.size, KEYS);
  t.same(await readElsewhere(path), { origin: 'joined', right: KEYS });
  cache.close();
  t.same(await readElsewhere(path), { origin: 'warm', right: KEYS });
});

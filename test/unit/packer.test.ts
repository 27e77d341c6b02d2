/** What compresses a dump on its way into the file. */
import { createGzip, gunzipSync } from 'node:zlib';
import t from 'tap';
import { Packer } from '../../src/snapshot/packer.js';

t.test('bytes may be used again once they are taken', async (t) => {
  const written: Buffer[] = [];
  const packer = new Packer(createGzip(), async (bytes) => void written.push(Buffer.from(bytes)));
  const bytes = Buffer.alloc(300_000);
  for (let i = 0; i < 5; i++) {
    bytes.fill(i);
    await packer.write(bytes);
  }
  bytes.fill(9);
  await packer.end();
  const wanted = Buffer.concat([0, 1, 2, 3, 4].map((i) => Buffer.alloc(300_000, i)));
  t.ok(gunzipSync(Buffer.concat(written)).equals(wanted));
});

t.test('what cannot be written is heard of, by a write or at the end', async (t) => {
  const full = new Error('no space');
  const packer = new Packer(createGzip({ level: 0 }), () => Promise.reject(full));
  await t.rejects(
    (async () => {
      for (;;) await packer.write(Buffer.alloc(100_000));
    })(),
    full,
  );
  await t.rejects(packer.end(), full);
  await packer.discard();
  const short = new Packer(createGzip(), () => Promise.reject(full));
  await short.write(Buffer.from('little'));
  await t.rejects(short.end(), full);
});

t.test('one that is discarded writes nothing more', async (t) => {
  let writes = 0;
  let release: () => void = () => {};
  const packer = new Packer(createGzip({ level: 0 }), async () => {
    writes++;
    await new Promise<void>((resolve) => {
      release = resolve;
    });
  });
  const taken = packer.write(Buffer.alloc(1_000_000));
  while (writes === 0) await new Promise((resolve) => setImmediate(resolve));
  const discarded = packer.discard();
  release();
  await discarded;
  await t.rejects(taken);
  t.equal(writes, 1);
});

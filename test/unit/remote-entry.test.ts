/** Entries as they lie at the remote: read back as they were written, and nothing else is taken for one. */
import t from 'tap';
import { ValueKind } from '../../src/codec/kinds.js';
import {
  decodeEntry,
  decodeHead,
  encodeEntry,
  idIn,
  isNumber,
  newId,
  type RemoteEntry,
  sectionOfNumber,
  untaggedSection,
} from '../../src/tier/entry-format.js';
import { wholeNumbers } from '../fixtures/random.js';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
t.comment(`SEED=${SEED}`);
const random = wholeNumbers(SEED);

function entry(): RemoteEntry {
  return {
    id: newId(),
    expires: random(2) === 0 ? Number.POSITIVE_INFINITY : random(2 ** 30) * 2_000,
    generations: Array.from({ length: 1 + random(4) }, newId),
    tags: Array.from({ length: random(17) }, (_, i) => [`${'é\ud800'.repeat(random(60))}${i}`, newId()] as const),
    kind: [ValueKind.latin1, ValueKind.plain, ValueKind.buffer][random(3)],
    bytes: Buffer.from(Array.from({ length: random(300) }, () => random(256))),
  };
}

const plain = ({ id, expires, generations, tags, kind, bytes }: RemoteEntry): unknown => ({
  id: id.toString('hex'),
  expires,
  generations: generations.map((generation) => generation.toString('hex')),
  tags: tags.map(([tag, generation]) => [tag, generation.toString('hex')]),
  kind,
  bytes: Buffer.from(bytes).toString('hex'),
});

t.test('read back', async (t) => {
  for (let i = 0; i < 500; i++) {
    const written = entry();
    const octets = encodeEntry(written);
    t.strictSame(plain(decodeEntry(octets) as RemoteEntry), plain(written));
    t.ok(idIn(octets).equals(written.id));
  }
});

t.test('cut short, longer or damaged, it is none, or only its head is another', async (t) => {
  for (let i = 0; i < 300; i++) {
    const octets = encodeEntry(entry());
    for (const length of [0, 1, random(octets.length), octets.length - 1])
      if (decodeEntry(octets.subarray(0, length)) !== undefined) t.fail(`of ${length} octets`);
    if (decodeEntry(Buffer.concat([octets, Buffer.of(0)])) !== undefined) t.fail('one more octet');
    const { start = octets.length } = decodeHead(octets) ?? {};
    if (start === octets.length) continue;
    const damaged = Buffer.from(octets);
    damaged[start + random(octets.length - start)] ^= 1 << random(8);
    if (decodeEntry(damaged) !== undefined) t.fail('a damaged value');
    // Whatever is in the head: no error, no endless loop.
    damaged[random(start)] = random(256);
    decodeEntry(damaged);
  }
  t.equal(decodeEntry(Buffer.from('hello, this is somebody elses value of some length')), undefined);
});

t.test('numbers, whose value the remote changes, have no checksum', async (t) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(5);
  const generations = [newId(), newId()];
  const octets = encodeEntry({ id: newId(), expires: 1, generations, tags: [], kind: ValueKind.float64, bytes });
  t.ok(isNumber(octets));
  t.ok(sectionOfNumber(octets).equals(untaggedSection(generations)));
  octets.writeDoubleLE(6, octets.length - 8);
  t.equal(Buffer.from(decodeEntry(octets)?.bytes as Uint8Array).readDoubleLE(), 6);
});

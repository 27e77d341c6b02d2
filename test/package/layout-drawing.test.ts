/**
 * The memory map in ARCHITECTURE.md and the drawing in layout.ts say what the constants say: each region, where it begins
 * and how long it is. With BUG=drift one constant is taken for another, which shows that a wrong map is found.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Arena } from '../../src/memory/arena.js';
import * as layout from '../../src/memory/layout.js';
import { withCache } from '../fixtures/with-cache.js';

const { BUCKET_SLOTS, CHUNK, CONTROL, ENTRY, EVENT, EXTRAS, SHARD, THREAD } = layout;
const root = fileURLToPath(new URL('../../../', import.meta.url));
const drift = process.env.BUG === 'drift' ? 1 : 0;

/** Region, where it begins, how long it is. */
type Row = [region: string, where: string, size: string];

/** The map as the constants have it; `geometry` is that of one shard, whose parts depend on the cache's options. */
function map({ geometry, control }: Arena): Row[] {
  const { pageCount, pageRecordWords, changesWord, changeCounts, bucketCount, slotCount, bucketsWord } = geometry;
  const { eventsWord, eventWords } = geometry;
  const { linksWord, policyWord, policyWords, heapByte, pageShift } = geometry;
  const single = (object: string, fields: Record<string, number>, names: string[]): Row[] =>
    names.map((name) => [`${object}: ${name}`, `${fields[name]}`, '1']);
  return [
    ['control: header', '0', `${CONTROL.words + drift}`],
    ['control: leases', `${layout.LEASES_WORD}`, `${layout.LEASE_COUNT} × ${layout.LEASE_WORDS}`],
    ['control: lease homes', `${layout.LEASE_HOMES_WORD}`, `${layout.LEASE_COUNT}`],
    ['control: waits', `${layout.WAITS_WORD}`, `${layout.WAIT_COUNT} × ${layout.WAIT_WORDS}`],
    ['control: tags', `${layout.TAGS_WORD}`, `${control.tagSlots} × 2`],
    ['control: thread records', `${control.threadsWord}`, `${control.threadCount} × ${THREAD.words}`],
    ['control: thread counters', `${control.countersWord}`, `${control.threadCount} × ${layout.COUNTERS * 2}`],
    ['control: policy, shared', `${control.policyWord}`, 'the rest'],
    ['shard: shard head', '0', `${SHARD.headWords}`],
    ['shard: journal', `${layout.JOURNAL_WORD}`, `${layout.JOURNAL_CAPACITY} × 2`],
    ['shard: class heads', `${layout.CLASSES_WORD}`, `${layout.MAX_CLASSES} × ${layout.CLASS_WORDS}`],
    ['shard: page table', `${layout.PAGES_WORD}`, `${pageCount} × ${pageRecordWords}`],
    ['shard: changes', `${changesWord}`, `${changeCounts}`],
    ['shard: events', `${eventsWord}`, `${eventWords}`],
    ['shard: buckets', `${bucketsWord}`, `${bucketCount} × ${layout.BUCKET_WORDS}`],
    ['shard: links', `${linksWord}`, `${slotCount} × ${layout.LINK_WORDS}`],
    ['shard: policy', `${policyWord}`, `${policyWords}`],
    ['shard: heap', `${heapByte / 4}`, `${pageCount} × ${2 ** pageShift / 4}`],
    ['bucket: hashes', '0', `${BUCKET_SLOTS}`],
    ['bucket: refs', `${layout.BUCKET_REFS}`, `${BUCKET_SLOTS}`],
    ['bucket: marks', `byte ${layout.BUCKET_MARKS_BYTE}`, `${BUCKET_SLOTS} bytes`],
    ['bucket: overflow', `byte ${layout.BUCKET_OVERFLOW * 4 + 3}`, '1 byte'],
    ...single('entry', ENTRY, ['meta', 'valueBytes', 'policy', 'version', 'expiry', 'high', 'next', 'here', 'hash']),
    ['entry: key, value', `${ENTRY.headWords}, chained ${ENTRY.chainedHeadWords}`, 'the rest'],
    ['extras: lengthBytes', `${EXTRAS.lengthBytes}`, '1'],
    ['extras: begun', `${EXTRAS.begun}`, '2'],
    ['extras: graceEnd', `${EXTRAS.graceEnd}`, '2'],
    ['extras: lifetime', `${EXTRAS.lifetime}`, '2'],
    ['extras: counts', `${EXTRAS.counts}`, '1'],
    ['extras: hashes, lengths, texts', `${EXTRAS.headWords}`, 'the rest'],
    ...single('event', EVENT, ['number', 'meta']),
    ['event: key', `${EVENT.headWords}`, 'the rest'],
    ...single('chunk', CHUNK, ['meta', 'next', 'here', 'hash']),
    ['chunk: key, value', `${CHUNK.headWords}`, 'the rest'],
  ];
}

/** The first three columns of the table in `## Layout`. */
function drawnMap(): Row[] {
  const text = readFileSync(`${root}ARCHITECTURE.md`, 'utf8');
  const [, section = ''] = /^## Layout\n(.*?)(?=^## |$(?![\s\S]))/ms.exec(text) ?? [];
  return [...section.matchAll(/^\| (.+) \|$/gm)]
    .map(([, row]) => row.split('|').map((cell) => cell.trim()))
    .filter(([region]) => region.includes(': '))
    .map(([region, where, size]) => [region, where, size]);
}

t.test('the map in ARCHITECTURE.md', (t) => {
  const cache = withCache(t, { maxBytes: '64MB' });
  t.strictSame(drawnMap(), map(Arena.attach(cache.handle.buffers)));
  t.end();
});

t.test('regions of the map follow each other without gap or overlap', (t) => {
  const rows = drawnMap();
  const sizeOf = (size: string): number => size.split(' × ').reduce((product, factor) => product * Number(factor), 1);
  for (const part of ['control', 'shard']) {
    const regions = rows.filter(([region]) => region.startsWith(`${part}: `));
    for (const [i, [region, where, size]] of regions.slice(0, -1).entries()) {
      const gap = Number(regions[i + 1][1]) - Number(where) - sizeOf(size);
      // Some regions begin on a cache line of 16 words.
      const aligned = ['control: tags', 'control: thread counters', 'shard: page table', 'shard: policy'].includes(
        region,
      );
      t.ok(aligned ? gap >= 0 && gap < 16 : gap === 0, `${region} is followed by ${gap} unused words`);
    }
  }
  t.end();
});

t.test('the drawing in layout.ts has the same regions in the same order', (t) => {
  const source = readFileSync(`${root}src/memory/layout.ts`, 'utf8');
  const drawing = source.slice(0, source.indexOf('*/'));
  const boxes = (name: string): string[] => {
    const [, line = ''] = new RegExp(`^ \\* +${name} +┌.*\\n \\* +[^│]*│(.*)│$`, 'm').exec(drawing) ?? [];
    return line.split('│').map((box) => box.trim().replace(/ +\((f64|words|bytes).*\)$/, ''));
  };
  const regions = (part: string): string[] =>
    drawnMap().flatMap(([region]) => (region.startsWith(`${part}: `) ? [region.slice(part.length + 2)] : []));
  t.strictSame(boxes('control'), regions('control'));
  t.strictSame(boxes('shard'), regions('shard'));
  t.strictSame(
    boxes('bucket').map((box) => box.replace(/^\d+ /, '')),
    regions('bucket'),
  );
  t.match(drawing, `${BUCKET_SLOTS} hashes (words 0-${BUCKET_SLOTS - 1})`);
  t.match(drawing, `(words ${layout.BUCKET_REFS}-${layout.BUCKET_REFS + BUCKET_SLOTS - 1})`);
  t.match(drawing, `(bytes ${layout.BUCKET_MARKS_BYTE}-${layout.BUCKET_MARKS_BYTE + BUCKET_SLOTS - 1})`);
  t.match(drawing, `(${layout.BUCKET_WORDS * 4} B)`);
  t.match(boxes('entry').join(), /^meta,valueBytes,policy,version,expiry \| version,\[next, here, hash\],key.*,value$/);
  t.match(boxes('chunk').join(), /^CHUNK,next,here,hash,/);
  t.end();
});

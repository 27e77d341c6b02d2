/** Trace files, good and bad, and a replay whose reuse can be counted by hand. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import { InputError } from '../../examples/main-job/errors.js';
import { readTrace } from '../../examples/main-job/trace/read.js';
import { runJob, tableRow } from './run-job.js';

/** 3 + 3 + 4 blocks: the second request shares a prefix of 2, the third one of 1 and a block (3) after its end. */
const REQUESTS = [
  [1, 2, 3],
  [1, 2, 4],
  [1, 5, 3, 6],
];
const lines = `${REQUESTS.map((ids, at) => JSON.stringify({ timestamp: at, hash_ids: ids })).join('\n')}\n`;
const keys = REQUESTS.map((ids) => ids.map(String));

t.test('plain, gzip, blank lines and Windows line ends', async (t) => {
  const dir = t.testdir({
    plain: lines,
    gzip: gzipSync(lines),
    blank: `\n${lines}\n\n`,
    windows: lines.replaceAll('\n', '\r\n'),
    unended: lines.trimEnd(),
  });
  for (const name of ['plain', 'gzip', 'blank', 'windows', 'unended']) {
    t.strictSame(await readTrace(`${dir}/${name}`), keys, name);
  }
});

t.test('bad files name the file and the line', async (t) => {
  const long = gzipSync(lines.repeat(1_000));
  const dir = t.testdir({
    empty: '',
    folder: {},
    text: `${lines}hello\n`,
    cut: `${lines}{"hash_ids": [1, 2`,
    list: '[1, 2]\n',
    missing: `${lines}{"timestamp": 3}\n`,
    badId: '{"hash_ids": [1, 2.5]}\n',
    shortGzip: long.subarray(0, long.length - 20),
    brokenGzip: Buffer.concat([long.subarray(0, 20), Buffer.alloc(200, 0xee)]),
    binary: Buffer.alloc(64, 0x80),
  });
  const cases: [name: string, message: RegExp][] = [
    ['absent', /absent: no such file or directory$/],
    ['folder', /folder: is a directory$/],
    ['empty', /empty: no requests in it$/],
    ['text', /text:4: not a JSON object: "hello"$/],
    ['cut', /cut:4: not a JSON object/],
    ['list', /list:1: no hash_ids array/],
    ['missing', /missing:4: no hash_ids array/],
    ['badId', /badId:1: hash_ids holds 2\.5/],
    ['shortGzip', /shortGzip: the gzip data ends too early, after line \d+$/],
    ['brokenGzip', /brokenGzip: damaged gzip data after line \d+$/],
    ['binary', /binary:1: not a JSON object/],
  ];
  for (const [name, message] of cases) {
    await t.rejects(readTrace(`${dir}/${name}`), { constructor: InputError, message }, name);
  }
  const { code, stderr } = await runJob('--trace', `${dir}/text`);
  t.equal(code, 1);
  t.equal(stderr, `error: ${dir}/text:4: not a JSON object: "hello"\n`);
});

t.test('a replay counts blocks and prefixes', async (t) => {
  const dir = t.testdir({ 'trace.jsonl.gz': gzipSync(lines) });
  const args = ['--trace', `${dir}/trace.jsonl.gz`, '--threads', '1', '--blocks', '64', '--svg', `${dir}/reuse.svg`];
  const { code, stdout, stderr } = await runJob(...args);
  t.equal(code, 0, stderr);
  t.match(stdout, /^3 requests, 6 distinct blocks\n/);
  for (const policy of ['adaptive', 's3-fifo', 'lru', 'lfu', 'fifo']) {
    t.strictSame(tableRow(stdout, policy).slice(2), ['10', '40.00 %', '30.00 %', '0'], policy);
  }
  t.match(readFileSync(`${dir}/reuse.svg`, 'utf8'), /^<svg .*>s3-fifo<.*>30\.00 %<.*<\/svg>\n$/s);
});

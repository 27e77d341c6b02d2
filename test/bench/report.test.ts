import t from 'tap';
import type { Measurement } from '../../bench/harness/measure.js';
import { comparison } from '../../bench/report/compare.js';
import { type Results, resultFiles } from '../../bench/report/results.js';
import { short, table } from '../../bench/report/tables.js';
import { spread } from '../../bench/stats.js';
import { evaluateTargets } from '../../bench/targets.js';

function measurement(scenario: string, adapter: string, own: number, ...rounds: number[]): Measurement {
  return {
    scenario,
    adapter,
    opsPerSecond: spread(rounds),
    uncorrected: spread(rounds).median,
    waitedShare: 0.01,
    p50Us: 0.5,
    p99Us: 1.5,
    missShare: 0,
    rounds,
    roundMs: 200,
    ratio: spread(rounds.map((rate) => own / rate)),
  };
}

function results(commit: string, measurements: readonly Measurement[]): Results {
  return {
    machine: 'Test <CPU> & co',
    cores: 2,
    system: 'linux 6',
    node: 'v20.0.0',
    commit,
    date: '2026-01-02T03:04:05.000Z',
    loadAtStart: 0.1,
    command: 'npm run bench',
    effort: { rounds: 3, roundMs: 200, warmupMs: 300, seed: 1 },
    skipped: { redis: 'no server' },
    measurements,
    targets: evaluateTargets(measurements),
  };
}

const SCENARIO = 'str T2 95/5';
const now = results('bbbbbbb', [
  measurement(SCENARIO, 'mooncake', 3e6, 3e6, 3.1e6, 2.9e6),
  measurement(SCENARIO, 'map', 3e6, 6e6, 6.2e6, 5.8e6),
  measurement(SCENARIO, 'lru-cache', 3e6, 4e6, 4e6, 4e6),
  measurement('str T2 50/50', 'mooncake', 2e6, 2e6, 2e6, 2e6),
]);

t.test('a run becomes data, tables and a chart', async (t) => {
  const { json, md, svg } = resultFiles(now);
  t.same(JSON.parse(json), JSON.parse(JSON.stringify(now)), 'JSON holds everything');
  for (const part of ['Test <CPU> & co', '2 cores', 'v20.0.0', 'bbbbbbb', 'npm run bench', 'redis (no server)'])
    t.ok(md.includes(part), `the page says ${part}`);
  t.match(md, /str T2 95\/5 +\| map +\| 6\.00M +\| 5\.80M +\| 6\.20M +\| 3\.3 % +\| 0\.50 x/);
  t.match(md, /str T2 95\/5: at least 0\.75 x lru-cache +\| 0\.75 +\| met/);
  t.match(md, /at least 8 x sharedmap +\| not measured/);
  t.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  t.ok(svg.includes('Test &#60;CPU&#62; &#38; co'), 'text is escaped');
  t.equal(svg.match(/<rect class="(own|bar)"/g)?.length, 4, 'a bar for each measurement');
  t.equal(svg.match(/<rect class="own"/g)?.length, 2);
  t.notMatch(svg, /NaN|Infinity|undefined/);
});

t.test('a target is held against the median of the rounds’ ratios, and the best rival', async (t) => {
  const targets = evaluateTargets([
    // The ratio of the medians would be 3; those of the rounds are 10, 2 and 1.5.
    measurement(SCENARIO, 'mooncake', 3e6, 1e7, 2e6, 3e6),
    measurement(SCENARIO, 'lmdb putSync', 3e6, 1e6, 1e6, 2e6),
    measurement(SCENARIO, 'lmdb batched', 3e6, 1e5, 1e5, 1e5),
  ]);
  t.match(
    targets.find(({ title }) => title.includes('lmdb')),
    { title: 'str T2 95/5: at least 5 x lmdb putSync or lmdb batched', measured: 2 },
  );
});

t.test('a comparison tells what changed, in itself and against a Map', async (t) => {
  const before = results('aaaaaaa', [
    measurement(SCENARIO, 'mooncake', 2e6, 2e6, 2e6, 2e6),
    measurement(SCENARIO, 'map', 2e6, 5e6, 6e6, 5e6),
  ]);
  const text = comparison(before, now);
  t.match(text, /Before: commit aaaaaaa.*\nNow: +commit bbbbbbb/);
  t.match(text, /mooncake +\| 2\.00M +\| 3\.00M +\| \+50\.0 % +\| \+25\.0 % +\| all faster/);
  t.match(text, /map +\| 5\.00M +\| 6\.00M +\| \+20\.0 % +\| \+0\.0 % +\| overlap/);
  t.notMatch(text, /lru-cache|50\/50/, 'only what both measured');
  t.match(comparison(now, before), /mooncake +\| 3\.00M +\| 2\.00M +\| -33\.3 % +\| -20\.0 % +\| all slower/);
});

t.test('runs with nothing in common say so', async (t) => {
  t.match(comparison(results('aaaaaaa', []), now), /Nothing was measured both/);
});

t.test('numbers are short and tables square', async (t) => {
  t.same([78, 1_234, 456_000, 1_234_000].map(short), ['78', '1.2k', '456k', '1.23M']);
  const lines = table(['a', 'long'], [['longer', '1']]).split('\n');
  t.same(lines, ['| a      | long |', '|--------|------|', '| longer | 1    |']);
});

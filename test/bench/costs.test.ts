import t from 'tap';
import type { Bound, CostChart, CostEffort, Point } from '../../bench/costs/chart.js';
import { boundTable, type CostResults, costFiles, costTable } from '../../bench/costs/files.js';
import { parseCostOptions } from '../../bench/costs/options.js';
import { measureProbes, type Probe, ticksOf } from '../../bench/costs/probe.js';
import { spread } from '../../bench/stats.js';

const effort: CostEffort = { full: false, rounds: 4, roundMs: 1, seed: 1 };

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

t.test('probes are measured in turn, prepared each time, and never asked for more than they allow', async (t) => {
  const runs: string[] = [];
  let prepared = 0;
  let largest = 0;
  const probes: Probe[] = [
    {
      series: 'a',
      x: 1,
      most: 8,
      prepare: (count) => {
        prepared = count;
      },
      run: (count) => {
        t.equal(prepared, count);
        largest = Math.max(largest, count);
        runs.push('a');
      },
    },
    { series: 'b', x: 2, run: (count) => runs.push('b') > 0 && busy(count / 100) },
  ];
  let ticks = 0;
  const points = measureProbes(probes, effort, () => ticks++);
  t.equal(ticks, ticksOf(probes.length, effort));
  t.equal(largest, 8);
  t.equal(runs.slice(-8).join(''), 'abababab', 'interleaved');
  t.same(
    points.map(({ series, x, rounds }) => [series, x, rounds.length]),
    [
      ['a', 1, 4],
      ['b', 2, 4],
    ],
  );
});

t.test('the cost found is what an operation takes', async (t) => {
  const US = 100;
  const slow: Probe = { series: 'slow', x: 1, run: (count) => busy((count * US) / 1000) };
  const [point] = measureProbes([slow], { ...effort, roundMs: 5 }, () => {}) as [Point];
  // Waiting for a core is taken off, so on a busy machine it may come out shorter.
  t.ok(point.y.median < US * 1000 * 1.2, `${point.y.median} ns`);
  t.ok(point.y.max > 0);
});

const points: Point[] = [
  { series: 'get', x: 8, y: spread([90, 100, 110]), rounds: [90, 100, 110] },
  { series: 'put', x: 8, y: spread([190, 200, 210]), rounds: [190, 200, 210] },
  { series: 'get', x: 1024, y: spread([1e4, 2e4, 3e4]), rounds: [1e4, 2e4, 3e4] },
];
const bounds: Bound[] = [
  { title: 'small', unit: 'ms', kind: 'at most', wanted: 5, measured: 4 },
  { title: 'large', unit: 'x', kind: 'at least', wanted: 2, measured: 1.5 },
  { title: 'absent', unit: 'x', kind: 'at most', wanted: 2, measured: Number.NaN },
];

function chart(shape: 'lines' | 'bars'): CostChart {
  return {
    name: 'test',
    title: 'Cost & more',
    workload: 'a few values',
    xTitle: 'bytes',
    yTitle: 'ns an operation',
    shape,
    label: (x) => `${x} B`,
    ticks: () => 0,
    measure: () => ({ points, bounds }),
  };
}

const results: CostResults = {
  machine: 'Test',
  cores: 2,
  system: 'linux 6',
  node: 'v20.0.0',
  commit: 'abcdefg',
  date: '2026-01-02T03:04:05.000Z',
  loadAtStart: 0,
  command: 'npm run bench:costs',
  chart: 'test',
  effort,
  points,
  bounds,
};

t.test('costs become data and a chart with lines or bars', async (t) => {
  const lines = costFiles(chart('lines'), results);
  t.same(JSON.parse(lines.json).points, JSON.parse(JSON.stringify(points)));
  t.equal(lines.svg.match(/<polyline/g)?.length, 2, 'a line for each series');
  t.equal(lines.svg.match(/r="3\.5"/g)?.length, 3, 'a dot for each point');
  t.match(lines.svg, /Cost &#38; more/);
  t.match(lines.svg, />1024 B</);
  const bars = costFiles(chart('bars'), results);
  t.equal(bars.svg.match(/<rect class="(own|bar)"/g)?.length, 3);
  for (const { svg } of [lines, bars]) {
    t.ok(svg.includes('commit abcdefg'));
    t.ok(svg.includes('a few values'));
    t.notMatch(svg, /NaN|Infinity|undefined/);
  }
});

t.test('the tables tell each point and whether the bounds hold', async (t) => {
  t.match(costTable(chart('lines'), results), /1024 B +\| get +\| 20\.0k +\| 10\.0k +\| 30\.0k +\| 50\.0 %/);
  const text = boundTable(bounds);
  t.match(text, /small +\| at most 5 ms +\| 4\.00 ms +\| met/);
  t.match(text, /large +\| at least 2 x +\| 1\.50 x +\| MISSED/);
  t.match(text, /absent +\| at most 2 x +\| not measured/);
});

t.test('options choose charts by name and refuse others', async (t) => {
  const names = ['capacity', 'values'];
  t.same(parseCostOptions([], names).charts, names);
  t.notOk(parseCostOptions([], names).effort.full);
  t.same(parseCostOptions(['--only', 'values', '--full', '--no-files'], names), {
    charts: ['values'],
    effort: { full: true, rounds: 7, roundMs: 100, seed: 1 },
    files: false,
  });
  t.throws(() => parseCostOptions(['--only', 'value'], names), { message: /no chart 'value'/ });
  t.throws(() => parseCostOptions(['--rounds', '0'], names), { message: /--rounds/ });
  t.throws(() => parseCostOptions(['--quick'], names), { message: /Unknown option/ });
});

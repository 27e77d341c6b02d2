/** What surviving a thread's death costs each put: see USAGE. */
import { parseArgs } from 'node:util';
import type { SharedCache } from '../../src/index.js';
import { runCommand, wholeOption } from '../cli.js';
import type { Point } from '../costs/chart.js';
import { measureProbes, type Probe, ticksOf } from '../costs/probe.js';
import { startProgress } from '../harness/progress.js';
import { circumstances, describeCircumstances } from '../report/circumstances.js';
import { table } from '../report/tables.js';
import { quantile, spread } from '../stats.js';
import { cachedKeys } from '../workloads/keys.js';
import { makeValues, VARIANTS } from '../workloads/values.js';
import { BASE, ENGINES, WHOLE } from './engines.js';
import { importStripped } from './strip.js';

const USAGE = `Usage: npm run bench:journal -- [options]
What the undo journal and the lock's owner cost an uncontended put of 100 bytes: the compiled engine as it is, against copies of
it without, turn by turn in one process. The target is at most 25 % extra.

  --rounds N      default 251
  --round-ms N    their length in ms (default 4)
  --help          prints this`;

/** Percent a put may cost more than without journal and owner. */
const MOST_EXTRA = 25;

/** Few enough for the processor's caches: waiting for memory would hide the difference. A power of two. */
const KEYS = 2 ** 12;
const SEED = 1;

const KINDS = ['replacing', 'evicting'] as const;

async function createProbes(): Promise<{ probes: Probe[]; caches: SharedCache<string>[] }> {
  const keys = cachedKeys(KEYS * 4);
  const values = makeValues('str', 100, SEED) as readonly string[];
  const probes: Probe[] = [];
  const caches: SharedCache<string>[] = [];
  for (const { name, bodies } of ENGINES) {
    const { SharedCache: Stripped } = await importStripped(bodies);
    for (const [x, kind] of KINDS.entries()) {
      const evicting = kind === 'evicting';
      const cache = new Stripped<string>({ maxBytes: '16MB', sweep: false, ...(evicting ? { maxEntries: KEYS } : {}) });
      caches.push(cache);
      // When evicting, a key comes again after four times as many as there is room for: it is always new.
      const mask = evicting ? KEYS * 4 - 1 : KEYS - 1;
      let next = 0;
      probes.push({
        series: name,
        x,
        run: (count) => {
          for (let i = 0; i < count; i++) {
            next = (next + 1) & mask;
            cache.put(keys[next] as string, values[next % VARIANTS] as string);
          }
        },
      });
    }
  }
  return { probes, caches };
}

/** Percent by which the engine as it is costs more than `base`, round by round: median, lower and upper quartile. */
function extra(points: readonly Point[], base: Point): readonly number[] {
  const whole = points.find(({ series, x }) => series === WHOLE && x === base.x)?.rounds ?? [];
  const ratios = base.rounds.map((ns, round) => ((whole[round] ?? Number.NaN) / ns - 1) * 100);
  return [0.5, 0.25, 0.75].map((q) => quantile(ratios, q));
}

async function main({ rounds, roundMs }: { rounds: number; roundMs: number }): Promise<void> {
  const where = describeCircumstances(circumstances('bench:journal'));
  // Each copy of the package listens for the end of the process.
  process.setMaxListeners(0);
  const { probes, caches } = await createProbes();
  const effort = { full: false, rounds, roundMs, seed: SEED };
  const progress = startProgress(ticksOf(probes.length, effort));
  let done = 0;
  const points = measureProbes(probes, effort, (label) => progress.update(done++, label));
  progress.stop();
  for (const cache of caches) {
    const { ok, problems } = cache.inspect();
    if (!ok) throw new Error(`a copy without its locks and journal broke its cache: ${problems.join('; ')}`);
    cache.close();
  }
  const sorted = [...points].sort((a, b) => a.x - b.x);
  const rows = sorted.map((point) => {
    const { median, mad } = spread(point.rounds);
    const [middle, low, high] = extra(points, point).map((percent) => percent.toFixed(1)) as [string, string, string];
    return [
      `put, ${KINDS[point.x]}`,
      point.series,
      median.toFixed(0),
      mad.toFixed(0),
      ...(point.series === WHOLE ? ['', ''] : [`${middle} %`, `${low} to ${high} %`]),
    ];
  });
  const head = ['operation', 'engine', 'ns', 'MAD', 'as it is costs extra', 'middle half of the rounds'];
  console.log(`${where}\n\n${table(head, rows)}\n`);
  for (const base of points.filter(({ series }) => series === BASE)) {
    const [middle] = extra(points, base) as [number];
    const verdict = middle <= MOST_EXTRA ? 'met' : 'MISSED';
    console.log(
      `put, ${KINDS[base.x]}: journal and owner ${middle.toFixed(1)} % extra, at most ${MOST_EXTRA} %: ${verdict}`,
    );
  }
}

function parseOptions(args: readonly string[]): { rounds: number; roundMs: number } {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { ...text, default: '251' }, 'round-ms': { ...text, default: '4' } },
  });
  return {
    rounds: wholeOption('rounds', values.rounds, { min: 1, max: 10_000 }),
    roundMs: wholeOption('round-ms', values['round-ms'], { min: 1, max: 60_000 }),
  };
}

await runCommand(USAGE, parseOptions, main);

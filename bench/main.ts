/**
 * This cache beside every other way to share, in one run.
 *
 *   node dist/bench/main.js [--full] [--only WORDS] [--rounds N] [--round-ms N] [--seed N] [--compare FILE]
 *
 * --only      comma-separated: scenarios or adapters whose name contains one of them (mooncake always runs); writes no files
 * --rounds    rounds of each adapter, default 5; --round-ms their length, default 200
 * --seed      of keys, values and operations, default 1
 * --compare   an earlier results file: prints what changed since
 *
 * Writes quick.json, .md and .svg, or with --full full.json, .md and .svg, into bench/results.
 */
import { parseArgs } from 'node:util';
import { Presets, SingleBar } from 'cli-progress';
import { ADAPTER_NAMES, loadAdapter } from './adapters/index.js';
import { type Effort, type Measurement, measureScenario, stepsOf } from './harness/measure.js';
import { barChart } from './report/chart.js';
import { circumstances, type Results, readResults, writeResult } from './report/results.js';
import { comparisonTable, measurementTable, targetTable } from './report/tables.js';
import { FULL, QUICK, type Scenario } from './scenarios.js';
import { evaluateTargets } from './targets.js';

const { values: flags } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'round-ms': { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    compare: { type: 'string' },
  },
});

/** Long enough for the optimizing compiler to settle. */
const WARMUP_MS = 300;

function select(names: readonly string[], words: readonly string[]): string[] {
  const chosen = names.filter((name) => words.some((word) => name.includes(word)));
  return chosen.length === 0 ? [...names] : chosen;
}

async function available(names: readonly string[]): Promise<{ usable: string[]; skipped: Record<string, string> }> {
  const usable: string[] = [];
  const skipped: Record<string, string> = {};
  for (const name of names) {
    const reason = (await loadAdapter(name)).unavailable?.();
    if (reason === undefined) usable.push(name);
    else skipped[name] = reason;
  }
  for (const [name, reason] of Object.entries(skipped)) console.error(`\n*** SKIPPED ${name}: ${reason} ***\n`);
  return { usable, skipped };
}

async function measureAll(scenarios: readonly Scenario[], adapters: readonly string[], effort: Effort) {
  const bar = new SingleBar(
    { format: '{bar} {percentage} % | {label}', stream: process.stderr },
    Presets.shades_classic,
  );
  bar.start(scenarios.length * stepsOf(adapters.length, effort), 0, { label: '' });
  const measurements: Measurement[] = [];
  for (const scenario of scenarios) {
    measurements.push(...(await measureScenario(scenario, adapters, effort, (label) => bar.increment({ label }))));
  }
  bar.stop();
  return measurements;
}

function write(name: string, results: Results): void {
  const { machine, cores, system, node, commit, date, command, measurements, targets } = results;
  const where = `${machine}, ${cores} cores, ${system}, Node ${node}, commit ${commit}, ${date.slice(0, 10)}`;
  const panels = [...new Set(measurements.map(({ scenario }) => scenario))].map((title) => ({
    title,
    bars: measurements
      .filter(({ scenario }) => scenario === title)
      .map(({ adapter, opsPerSecond: { median, min, max } }) => {
        return { label: adapter, value: median, low: min, high: max, highlighted: adapter === 'mooncake' };
      }),
  }));
  const notes = [
    `${where}, \`${command}\`.`,
    'Operations a second over all threads, medians of interleaved rounds. Each load thread’s waiting for a core is taken off',
    'its time; a server’s or owner’s own waiting is not. map and lru-cache share nothing.',
  ].join('\n');
  const tables = `## Targets\n\n${targetTable(targets)}\n\n## Rates\n\n${measurementTable(measurements)}\n`;
  writeResult(`${name}.json`, `${JSON.stringify(results, null, 2)}\n`);
  writeResult(`${name}.md`, `# Ways to share, in one run\n\n${notes}\n\n${tables}`);
  writeResult(`${name}.svg`, barChart('Operations a second', where, panels));
}

const words = flags.only?.split(',') ?? [];
const effort: Effort = {
  rounds: Number(flags.rounds),
  roundMs: Number(flags['round-ms']),
  warmupMs: WARMUP_MS,
  seed: Number(flags.seed),
};
const all = flags.full ? FULL : QUICK;
const names = select(
  all.map(({ name }) => name),
  words,
);
const chosen = new Set(['mooncake', ...select(ADAPTER_NAMES, words)]);
console.log(`seed ${effort.seed}`);
const { usable, skipped } = await available(ADAPTER_NAMES.filter((name) => chosen.has(name)));
const measurements = await measureAll(
  all.filter(({ name }) => names.includes(name)),
  usable,
  effort,
);
const results: Results = { ...circumstances(), effort, skipped, measurements, targets: evaluateTargets(measurements) };
console.log(`${measurementTable(measurements)}\n\n${targetTable(results.targets)}`);
if (flags.compare !== undefined) console.log(`\n${comparisonTable(readResults(flags.compare), results)}`);
if (flags.only === undefined) write(flags.full ? 'full' : 'quick', results);

/** This cache beside every other way to share, in one run: see USAGE in options.ts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../scripts/cleanup.js';
import { ADAPTER_NAMES, loadAdapter } from './adapters/index.js';
import { runCommand } from './cli.js';
import { fitEffort } from './harness/effort.js';
import { assembleTeams, closeTeams, type Measurement, measureScenario } from './harness/measure.js';
import { startProgress } from './harness/progress.js';
import { type BenchOptions, parseOptions, USAGE } from './options.js';
import { circumstances } from './report/circumstances.js';
import { comparison } from './report/compare.js';
import { type Results, readResults, resultFiles, writeResults } from './report/results.js';
import { measurementTable, targetTable } from './report/tables.js';
import { FULL, QUICK, type Scenario } from './scenarios.js';
import { evaluateTargets } from './targets.js';

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

async function measureAll(scenarios: readonly Scenario[], adapters: readonly string[], options: BenchOptions) {
  const { effort, budgetMs = Number.POSITIVE_INFINITY } = options;
  const bar = startProgress(scenarios.length);
  const measurements: Measurement[] = [];
  let done = 0;
  const progress = (label: string, share: number): void => bar.update(done + share, label);
  try {
    for (const group of groups(scenarios)) {
      // performance.now() counts from the start of the process, and the budget is the whole run's.
      const left = budgetMs - performance.now();
      const deadline = performance.now() + (left * group.length) / (scenarios.length - done);
      const first = group[0] as Scenario;
      const teams = await assembleTeams(first, adapters, effort.seed, (name) =>
        progress(`filled and checked ${name}`, 0),
      );
      try {
        for (const [i, scenario] of group.entries()) {
          const availableMs = (deadline - performance.now()) / (group.length - i);
          measurements.push(
            ...(await measureScenario(scenario, teams, fitEffort(effort, teams.length, availableMs), progress)),
          );
          done++;
        }
      } finally {
        await closeTeams(teams);
      }
    }
    progress('done', 0);
  } finally {
    bar.stop();
  }
  return measurements;
}

/** Scenarios that can use the same stores and threads: filling those takes longer than a measurement. */
function groups(scenarios: readonly Scenario[]): Scenario[][] {
  const byStore = new Map<string, Scenario[]>();
  for (const scenario of scenarios) {
    const store = `${scenario.kind} ${scenario.threads} ${scenario.processes}`;
    const group = byStore.get(store);
    if (group === undefined) byStore.set(store, [scenario]);
    else group.push(scenario);
  }
  return [...byStore.values()];
}

async function main(options: BenchOptions): Promise<void> {
  const before = options.compare === undefined ? undefined : readResults(options.compare);
  const where = circumstances(options.full ? 'bench:full' : 'bench');
  console.log(`seed ${options.effort.seed}`);
  const { usable, skipped } = await available(options.adapters);
  const scenarios = (options.full ? FULL : QUICK).filter(({ name }) => options.scenarios.includes(name));
  const measurements = await measureAll(scenarios, usable, options);
  const results: Results = {
    ...where,
    effort: options.effort,
    skipped,
    measurements,
    targets: evaluateTargets(measurements),
  };
  console.log(measurementTable(measurements));
  const measured = results.targets.filter((target) => target.measured !== undefined);
  if (measured.length > 0) console.log(`\n${targetTable(measured)}`);
  if (before !== undefined) console.log(`\n${comparison(before, results)}`);
  if (!options.complete) return;
  const written = writeResults(options.full ? 'full' : 'quick', resultFiles(results));
  console.log(`\nwrote ${written.join(', ')}`);
  if (options.full) await measureCosts(options.effort.seed);
}

/** In a process of its own, whose compiler has seen nothing yet. */
async function measureCosts(seed: number): Promise<void> {
  const program = fileURLToPath(new URL('costs/main.js', import.meta.url));
  const child = spawn(process.execPath, [program, '--full', '--seed', String(seed)], { stdio: 'inherit' });
  const stop = atEnd(() => child.kill());
  const [code] = await once(child, 'exit');
  stop();
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}

const choices = {
  quick: QUICK.map(({ name }) => name),
  full: FULL.map(({ name }) => name),
  adapters: ADAPTER_NAMES,
};
await runCommand(USAGE, (args) => parseOptions(args, choices), main);

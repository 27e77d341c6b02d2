import { parseArgs } from 'node:util';
import { UsageError, wholeOption } from './cli.js';
import type { Effort } from './harness/effort.js';

export const USAGE = `Usage: npm run bench -- [options]       (bench:full for every workload)
This cache beside every other way to share, in one run.

  --full            every workload instead of the usual ones, and then the costs as the work grows (bench:costs)
  --only WORDS      comma-separated: workloads and adapters whose name contains one of them (mooncake always runs);
                    writes no files
  --budget SECONDS  of the whole run: rounds are shortened where it would take longer (default 140, with --full none)
  --rounds N        rounds of each adapter (default 5)
  --round-ms N      their length in ms (default 200)
  --seed N          of keys, values and operations (default 1)
  --compare FILE    an earlier .json of results: prints what changed since
  --help            prints this

Writes quick.json, .md and .svg, or with --full full.json, .md and .svg, into bench/results.`;

export interface BenchOptions {
  readonly full: boolean;
  /** Empty for everything. */
  readonly scenarios: readonly string[];
  readonly adapters: readonly string[];
  /** Whether these are all there are, so that the results are worth a file. */
  readonly complete: boolean;
  /** Undefined for no limit. */
  readonly budgetMs: number | undefined;
  readonly effort: Effort;
  readonly compare: string | undefined;
}

/** Names to choose from. */
export interface Choices {
  readonly quick: readonly string[];
  readonly full: readonly string[];
  readonly adapters: readonly string[];
}

/** Long enough for the optimizing compiler to settle. */
const WARMUP_MS = 300;
/** Leaves the build and the end of the run their part of three minutes. */
const QUICK_BUDGET_SECONDS = 140;
const OWN = 'mooncake';

/** Throws a UsageError, or an error of parseArgs, for whatever the usage does not allow. */
export function parseOptions(args: readonly string[], choices: Choices): BenchOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: 'boolean', default: false },
      only: text,
      budget: text,
      rounds: { ...text, default: '5' },
      'round-ms': { ...text, default: '200' },
      seed: { ...text, default: '1' },
      compare: text,
    },
  });
  const { full } = values;
  const allScenarios = full ? choices.full : choices.quick;
  const words = values.only?.split(',').map((word) => word.trim());
  const stray = words?.find(
    (word) => word === '' || ![...allScenarios, ...choices.adapters].some((name) => name.includes(word)),
  );
  if (stray !== undefined) {
    throw new UsageError(
      `--only: '${stray}' is in the name of no workload (${allScenarios.join(', ')}) and no adapter (${choices.adapters.join(', ')})`,
    );
  }
  const adapters = select(choices.adapters, words);
  const budget = values.budget ?? (full ? undefined : String(QUICK_BUDGET_SECONDS));
  return {
    full,
    scenarios: select(allScenarios, words),
    adapters: choices.adapters.filter((name) => name === OWN || adapters.includes(name)),
    complete: words === undefined,
    budgetMs: budget === undefined ? undefined : wholeOption('budget', budget, { min: 1, max: 86_400 }) * 1000,
    effort: {
      rounds: wholeOption('rounds', values.rounds, { min: 1, max: 1000 }),
      roundMs: wholeOption('round-ms', values['round-ms'], { min: 1, max: 60_000 }),
      warmupMs: WARMUP_MS,
      seed: wholeOption('seed', values.seed, { min: 0, max: 2 ** 32 - 1 }),
    },
    compare: values.compare,
  };
}

/** Those with one of the words in their name; all when none has. */
function select(names: readonly string[], words: readonly string[] | undefined): readonly string[] {
  const chosen = names.filter((name) => words?.some((word) => name.includes(word)));
  return chosen.length === 0 ? names : chosen;
}

/** The command line of the main job. */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { EvictionName } from 'mooncake-cache';
import { InputError } from './errors.js';

const DEFAULT_BLOCKS = 20_000;
const MAX_THREADS = 64;

export const USAGE = `Usage: npm start -- [options]

Analyse what the packages of a folder import, three times over: with no cache, a cache per thread, the shared cache.
  --dir FOLDER      the folder to analyse (default: this checkout's node_modules)
  --limit N         analyse N of its packages only (default: all)

Replay an LLM request trace instead (JSON lines with hash_ids, plain or gzip).
  --trace FILE      the trace
  --blocks N        capacity of the cache in blocks (default: ${DEFAULT_BLOCKS})
  --policy LIST     eviction policies, comma-separated (default: all)

  --threads N       worker threads (default: one per processor, ${availableParallelism()} here)
  --svg FILE        draw the results, too
  --help            print this`;

export const POLICIES: readonly EvictionName[] = ['adaptive', 's3-fifo', 'lru', 'lfu', 'fifo'];

export interface AnalysisOptions {
  readonly mode: 'analysis';
  readonly dir: string;
  /** How many packages at most; Infinity for all. */
  readonly limit: number;
  readonly threads: number;
  /** Where to draw the results. */
  readonly svg: string | undefined;
}

export interface TraceOptions {
  readonly mode: 'trace';
  readonly file: string;
  readonly blocks: number;
  readonly policies: readonly EvictionName[];
  readonly threads: number;
  /** Where to draw the results. */
  readonly svg: string | undefined;
}

export type Options = { readonly mode: 'help' } | AnalysisOptions | TraceOptions;

const ONLY_ANALYSIS = ['dir', 'limit'] as const;
const ONLY_TRACE = ['blocks', 'policy'] as const;

/** @throws InputError for anything the usage does not allow */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  if (values.help) return { mode: 'help' };
  const threads = wholeNumber('--threads', values.threads, availableParallelism(), 1, MAX_THREADS);
  if (values.trace === undefined) {
    for (const name of ONLY_TRACE) if (values[name] !== undefined) throw new InputError(`--${name} needs --trace FILE`);
    const limit = wholeNumber('--limit', values.limit, Number.POSITIVE_INFINITY, 1, Number.MAX_SAFE_INTEGER);
    const dir = values.dir ?? fileURLToPath(new URL('../../../node_modules', import.meta.url));
    return { mode: 'analysis', dir, limit, threads, svg: values.svg };
  }
  for (const name of ONLY_ANALYSIS) {
    if (values[name] !== undefined) throw new InputError(`--${name} does not go with --trace`);
  }
  const blocks = wholeNumber('--blocks', values.blocks, DEFAULT_BLOCKS, 1, 100_000_000);
  return { mode: 'trace', file: values.trace, blocks, policies: policies(values.policy), threads, svg: values.svg };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        dir: text,
        limit: text,
        trace: text,
        blocks: text,
        policy: text,
        threads: text,
        svg: text,
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new InputError((error as Error).message);
  }
}

function wholeNumber(option: string, text: string | undefined, fallback: number, min: number, max: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new InputError(`${option} takes a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`);
}

function policies(list: string | undefined): readonly EvictionName[] {
  if (list === undefined) return POLICIES;
  return list.split(',').map((name) => {
    const policy = POLICIES.find((known) => known === name.trim());
    if (policy === undefined) {
      throw new InputError(`--policy takes ${POLICIES.join(', ')}, got ${JSON.stringify(name)}`);
    }
    return policy;
  });
}

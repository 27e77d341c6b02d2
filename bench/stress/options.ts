import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run stress -- [options]
  --threads N       threads under load (default 4)
  --seconds N       how long (default 10)
  --seed N          repeats a run's choices (default: random, printed)
  --mix G/P/D       gets, puts and deletes in percent (default 80/15/5)
  --kill-rate N     threads terminated a second, each replaced at once (default 0)
  --keys N          keys (default 20000)
  --value-bytes N   longest value; one in fifty is ten times as long (default 400)
  --max-bytes SIZE  capacity; a small one adds eviction to the load (default 256MB)
  --report FILE     times operations, and writes a page of their latencies, throughput and hit ratio`;

export interface StressOptions {
  threads: number;
  seconds: number;
  seed: number;
  mix: readonly [number, number, number];
  killRate: number;
  keys: number;
  valueBytes: number;
  maxBytes: string;
  /** Where to write the latency report; undefined: nothing is timed. */
  report: string | undefined;
}

/** Throws an Error with one line for whatever the usage does not allow. */
export function parseOptions(args: readonly string[]): StressOptions | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      threads: text,
      seconds: text,
      seed: text,
      mix: text,
      'kill-rate': text,
      keys: text,
      'value-bytes': text,
      'max-bytes': text,
      report: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) return 'help';
  const number = (name: keyof typeof values, fallback: number, min: number, max: number): number => {
    const value = values[name] === undefined ? fallback : Number(values[name]);
    if (value >= min && value <= max) return value;
    throw new Error(`--${name} must be a number from ${min} to ${max}, received ${values[name]}`);
  };
  const mix = (values.mix ?? '80/15/5').split('/').map(Number);
  if (mix.length !== 3 || mix.some((share) => !(share >= 0)) || mix[0] + mix[1] + mix[2] !== 100) {
    throw new Error(`--mix must be three percentages that make 100, such as 80/15/5, received ${values.mix}`);
  }
  return {
    threads: Math.floor(number('threads', 4, 1, 64)),
    seconds: number('seconds', 10, 0.1, 86_400),
    seed: Math.floor(number('seed', Math.floor(Math.random() * 2 ** 31), 0, 2 ** 32)),
    mix: [mix[0], mix[1], mix[2]],
    killRate: number('kill-rate', 0, 0, 1_000),
    keys: Math.floor(number('keys', 20_000, 64, 10_000_000)),
    valueBytes: Math.floor(number('value-bytes', 400, 1, 1_000_000)),
    maxBytes: values['max-bytes'] ?? '256MB',
    report: values.report,
  };
}

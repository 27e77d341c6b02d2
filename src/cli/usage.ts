import type { ParseArgsConfig } from 'node:util';

/** A command line that makes no sense; its message is one line for the user. */
export class UsageError extends Error {}

type Options = NonNullable<ParseArgsConfig['options']>;

export interface Usage {
  /** Words that must follow the command. */
  readonly words: readonly string[];
  readonly what: string;
  readonly examples: readonly string[];
  readonly options?: Options;
}

export const COMMANDS: ReadonlyMap<string, Usage> = new Map<string, Usage>(
  Object.entries({
    stats: { words: ['PATH'], what: 'totals over all threads and processes', examples: ['stats /dev/shm/app --json'] },
    top: {
      words: ['PATH'],
      what: 'what happens in it, looked at each second; with --interval SECONDS and --count N',
      examples: ['top /dev/shm/app', 'top /dev/shm/app --count 60 --json'],
      options: { interval: { type: 'string' }, count: { type: 'string' } },
    },
    keys: {
      words: ['PATH'],
      what: 'the keys, one a line; with --prefix TEXT and --limit N',
      examples: ['keys /dev/shm/app --prefix user: --limit 10'],
      options: { prefix: { type: 'string' }, limit: { type: 'string' } },
    },
    get: { words: ['PATH', 'KEY'], what: 'a value; 1 when there is none', examples: ['get /dev/shm/app user:1'] },
    delete: {
      words: ['PATH', 'KEY'],
      what: 'removes an entry; 1 when there is none',
      examples: ['delete /dev/shm/app user:1'],
    },
    clear: { words: ['PATH'], what: 'removes every entry', examples: ['clear /dev/shm/app'] },
    inspect: {
      words: ['PATH'],
      what: 'walks the whole structure; 1 when it is damaged',
      examples: ['inspect /dev/shm/app'],
    },
    dump: { words: ['PATH', 'FILE'], what: 'writes the entries to a file', examples: ['dump /dev/shm/app app.dump'] },
    load: {
      words: ['PATH', 'FILE'],
      what: 'stores the entries of a file whose keys are absent',
      examples: ['load /dev/shm/app app.dump'],
    },
    serve: {
      words: [],
      what: 'HTTP and the Redis protocol for PATH, or for a new cache of --size',
      examples: ['serve /dev/shm/app --http 127.0.0.1:8080', 'serve --size 64MB --resp 127.0.0.1:6379'],
      options: {
        size: { type: 'string' },
        http: { type: 'string' },
        resp: { type: 'string' },
        'token-file': { type: 'string' },
      },
    },
  }),
);

export function helpOf(name?: string): string {
  const shown = [...COMMANDS].filter(([each]) => name === undefined || each === name);
  const lines = shown.map(([each, { words, what }]) => {
    const call = [each, ...(each === 'serve' ? ['[PATH]'] : words)].join(' ');
    return `  ${call.padEnd(18)} ${what}`;
  });
  const examples = shown.flatMap(([, usage]) => usage.examples.map((example) => `  npx mooncake-cache ${example}`));
  return [
    `mooncake-cache ${name ?? 'COMMAND'} …`,
    ...lines,
    '',
    'A cache that programs opened by its path, while they run. --json prints JSON. Exit codes: 0 done, 1 no, 2 usage.',
    '',
    'Examples:',
    ...examples,
  ].join('\n');
}

/** Throws a UsageError, with the nearest of the names if one is near. */
export function commandOf(name: string): Usage {
  const usage = COMMANDS.get(name);
  if (usage !== undefined) return usage;
  const [nearest] = [...COMMANDS.keys()].sort((a, b) => distance(name, a) - distance(name, b));
  const hint =
    distance(name, nearest) <= 2 ? `did you mean ${nearest}?` : `known are ${[...COMMANDS.keys()].join(', ')}`;
  throw new UsageError(`unknown command ${JSON.stringify(name.slice(0, 40))}: ${hint}`);
}

/** Letters to add, drop or change (Levenshtein's, by rows). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= Math.min(a.length, 40); i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

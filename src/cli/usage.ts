/** The commands, their words and options, and what --help says of them. */

/** A command line that makes no sense; its message is one line for the user. */
export class UsageError extends Error {}

/** The numbers that an option takes. */
export interface Range {
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
}

/** An option that takes a value; `multiple`: it may be repeated; `range`: it is a number. */
export interface Option {
  readonly type: 'string';
  readonly multiple?: boolean;
  readonly range?: Range;
  readonly value: string;
  readonly what: string;
}

/** An option that is there or not. */
export interface Flag {
  readonly type: 'boolean';
  readonly short?: string;
  readonly what: string;
}

export interface Usage {
  /** Words that must follow the command. */
  readonly words: readonly string[];
  /** A word that may follow. */
  readonly optionalWord?: string;
  readonly what: string;
  readonly examples: readonly string[];
  readonly options?: Readonly<Record<string, Option | Flag>>;
}

/** What every command takes. */
export const COMMON: Readonly<Record<string, Option | Flag>> = {
  codec: { type: 'string', value: 'FILE', what: "a module with the cache's codec as its default export" },
  json: { type: 'boolean', what: 'print JSON, errors too' },
  help: { type: 'boolean', short: 'h', what: 'show this' },
};

const wholeFrom = (least: number): Range => ({ least, most: Number.MAX_SAFE_INTEGER, isWhole: true });

const namespace: Option = {
  type: 'string',
  multiple: true,
  value: 'NAME',
  what: 'in this namespace; repeat it for one inside of it',
};

export const COMMANDS: Readonly<Record<string, Usage>> = {
  stats: { words: ['PATH'], what: 'totals over all threads and processes', examples: ['stats /dev/shm/app --json'] },
  top: {
    words: ['PATH'],
    what: 'what happens in it, looked at each second',
    examples: ['top /dev/shm/app', 'top /dev/shm/app --count 60 --json'],
    options: {
      interval: {
        type: 'string',
        value: 'SECONDS',
        range: { least: 0.05, most: 86_400, isWhole: false },
        what: 'between two looks, from 0.05 on',
      },
      count: { type: 'string', value: 'N', range: wholeFrom(1), what: 'end after so many looks' },
    },
  },
  keys: {
    words: ['PATH'],
    what: 'the keys, one a line',
    examples: ['keys /dev/shm/app --prefix user: --limit 10', 'keys /dev/shm/app --all'],
    options: {
      namespace,
      all: { type: 'boolean', what: 'those of namespaces inside too, each with its namespace' },
      prefix: { type: 'string', value: 'TEXT', what: 'those that begin so' },
      limit: { type: 'string', value: 'N', range: wholeFrom(0), what: 'no more than so many' },
    },
  },
  get: {
    words: ['PATH', 'KEY'],
    what: 'a value; 1 when there is none',
    examples: ['get /dev/shm/app user:1', 'get /dev/shm/app 1 --namespace users'],
    options: { namespace },
  },
  delete: {
    words: ['PATH', 'KEY'],
    what: 'removes an entry; 1 when there is none',
    examples: ['delete /dev/shm/app user:1'],
    options: { namespace },
  },
  clear: {
    words: ['PATH'],
    what: 'removes every entry, or all of a namespace',
    examples: ['clear /dev/shm/app', 'clear /dev/shm/app --namespace users'],
    options: { namespace },
  },
  inspect: {
    words: ['PATH'],
    what: 'walks the whole structure; 1 when it is damaged',
    examples: ['inspect /dev/shm/app'],
  },
  dump: {
    words: ['PATH', 'FILE'],
    what: 'writes the entries to a file',
    examples: ['dump /dev/shm/app app.dump'],
    options: { namespace },
  },
  load: {
    words: ['PATH', 'FILE'],
    what: 'stores the entries of a file whose keys are absent',
    examples: ['load /dev/shm/app app.dump'],
    options: { namespace },
  },
  serve: {
    words: [],
    optionalWord: 'PATH',
    what: 'HTTP and the Redis protocol for PATH, or for a new cache of --size',
    examples: ['serve /dev/shm/app --http 127.0.0.1:8080', 'serve --size 64MB --resp 127.0.0.1:6379'],
    options: {
      size: { type: 'string', value: 'BYTES', what: 'serve a new cache of this size, such as 64MB' },
      http: { type: 'string', value: 'ADDRESS', what: 'where HTTP and the dashboard are' },
      resp: { type: 'string', value: 'ADDRESS', what: 'where the Redis protocol is spoken' },
      'reuse-port': { type: 'boolean', what: 'share the ports with others that say so too' },
      'token-file': { type: 'string', value: 'FILE', what: 'a file with the token that clients must send' },
    },
  },
};

/** Of all commands, or of one with its options. */
export function helpOf(name?: string): string {
  const shown = Object.entries(COMMANDS).filter(([each]) => name === undefined || each === name);
  const lines = shown.map(([each, usage]) => row([each, ...wordsOf(usage)].join(' '), usage.what));
  const options = name === undefined ? COMMON : { ...COMMANDS[name].options, ...COMMON };
  const examples = shown.flatMap(([, usage]) => usage.examples.map((example) => `  npx mooncake-cache ${example}`));
  return [
    `mooncake-cache ${name ?? 'COMMAND'} …`,
    ...lines,
    '',
    ...Object.entries(options).map(([each, option]) => row(signatureOf(each, option), option.what)),
    '',
    'A cache that programs opened by its path, while they run. What begins with - and is no option follows --.',
    'Exit codes: 0 done, 1 no, 2 usage.',
    '',
    'Examples:',
    ...examples,
  ].join('\n');
}

/** The words of a command as --help and errors show them. */
export function wordsOf({ words, optionalWord }: Usage): string[] {
  return optionalWord === undefined ? [...words] : [...words, `[${optionalWord}]`];
}

const row = (name: string, what: string): string => `  ${name.padEnd(20)} ${what}`;

function signatureOf(name: string, option: Option | Flag): string {
  if (option.type === 'string') return `--${name} ${option.value}`;
  return option.short === undefined ? `--${name}` : `--${name}, -${option.short}`;
}

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { hintFor } from './nearest.js';
import { COMMANDS, COMMON, type Range, UsageError, wordsOf } from './usage.js';

/** What a command line asks for. */
export interface Call {
  readonly name: string;
  readonly words: readonly string[];
  readonly isJson: boolean;
  readonly isHelp: boolean;
  /** The value of an option, if it was given. */
  text(option: string): string | undefined;
  /** All values of an option that may be repeated. */
  texts(option: string): readonly string[];
  /** Whether a flag was given. */
  has(flag: string): boolean;
  /** The number of an option that takes one, or the fallback. */
  number(option: string, fallback: number): number;
}

/** Throws UsageError, and what parseArgs throws, for what makes no sense. */
export function parseCommandLine(name: string, args: readonly string[]): Call {
  const usage = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (usage === undefined)
    throw new UsageError(`unknown command ${quoted(name)}: ${hintFor(name, Object.keys(COMMANDS))}`);
  const options = { ...usage.options, ...COMMON };
  rejectUnknown(args, options);
  const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true });
  const most = wordsOf(usage).length;
  if (values.help !== true && (positionals.length < usage.words.length || positionals.length > most))
    throw new UsageError(`${name} takes ${wordsOf(usage).join(' ')}, received ${positionals.length} words`);
  const text = (option: string): string | undefined => values[option] as string | undefined;
  const numbers = new Map<string, number>();
  for (const [option, taken] of Object.entries(options)) {
    const given = text(option);
    if (taken.type === 'boolean' || taken.range === undefined || given === undefined) continue;
    numbers.set(option, numberOf(option, given, taken.range));
  }
  return {
    name,
    words: positionals,
    isJson: values.json === true,
    isHelp: values.help === true,
    text,
    texts: (option) => (values[option] as string[] | undefined) ?? [],
    has: (flag) => values[flag] === true,
    number: (option, fallback) => numbers.get(option) ?? fallback,
  };
}

/** Whether errors are to be JSON, whatever else the command line says. */
export function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).includes('--json');
}

/** parseArgs knows what was misspelt, but not what was meant. */
function rejectUnknown(args: readonly string[], options: NonNullable<ParseArgsConfig['options']>): void {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind !== 'option' || Object.hasOwn(options, token.name)) continue;
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new UsageError(`unknown option ${quoted(token.rawName)}: ${hintFor(token.rawName, known)}`);
  }
}

function numberOf(option: string, text: string, { least, most, isWhole }: Range): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most && (!isWhole || Number.isInteger(value))) return value;
  throw new UsageError(
    `--${option} must be a ${isWhole ? 'whole number' : 'number'} from ${least} to ${most}, received ${quoted(text)}`,
  );
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 40));

import { parseArgs } from 'node:util';

/** An argument that is not allowed; its message is one line for the user. */
export class UsageError extends Error {}

/** Bounds are inclusive. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
}

/** The number an option was given as text. Throws a UsageError for anything but a number within the range. */
export function numberOption(name: string, text: string, { min, max }: NumberRange): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max) return value;
  throw new UsageError(`--${name} must be a number from ${min} to ${max}, received '${text}'`);
}

/** As numberOption, and whole. */
export function wholeOption(name: string, text: string, range: NumberRange): number {
  const value = numberOption(name, text, range);
  if (Number.isInteger(value)) return value;
  throw new UsageError(`--${name} must be a whole number from ${range.min} to ${range.max}, received '${text}'`);
}

/** What a benchmark is told that takes whole numbers, each with its default, and `--no-files`. */
export function parseCounts<N extends string>(
  args: readonly string[],
  counts: Readonly<Record<N, NumberRange & { readonly usual: number }>>,
): Record<N, number> & { files: boolean } {
  const names = Object.keys(counts) as N[];
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ args: [...args], options: { ...options, 'no-files': { type: 'boolean' } } });
  const given: Readonly<Record<string, string | boolean | undefined>> = values;
  const numbers = names.map((name) => {
    const { usual, ...range } = counts[name];
    return [name, wholeOption(name, String(given[name] ?? usual), range)];
  });
  return { ...Object.fromEntries(numbers), files: given['no-files'] !== true };
}

/**
 * Runs a command-line program: `--help` prints its usage, an argument it does not allow prints one line to stderr and makes
 * the exit code 2, any other error 1.
 */
export async function runCommand<T>(
  usage: string,
  parse: (args: readonly string[]) => T,
  run: (options: T) => Promise<void> | void,
): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(usage);
    return;
  }
  try {
    await run(parse(args));
  } catch (error) {
    const isUsage = error instanceof UsageError || isParseArgsError(error);
    console.error(isUsage ? `${(error as Error).message}\nTry --help.` : error);
    process.exitCode = isUsage ? 2 : 1;
  }
}

/** What node:util's parseArgs throws for unknown options, missing values and stray words. */
function isParseArgsError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS_');
}

#!/usr/bin/env node
import { SharedCacheError } from '../index.js';
import { parseCommandLine, wantsJson } from './command-line.js';
import { runCommand } from './commands.js';
import { helpOf, UsageError } from './usage.js';

// Whoever reads, such as head, may have had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

/** A key, a path or a namespace that cannot be one was on the command line. */
const USAGE_CODES: readonly string[] = ['ERR_INVALID_ARGUMENT', 'ERR_INVALID_KEY'];

async function main([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(`${helpOf()}\n`);
    return name === undefined ? 2 : 0;
  }
  const call = parseCommandLine(name, rest);
  if (!call.isHelp) return runCommand(call);
  process.stdout.write(`${helpOf(name)}\n`);
  return 0;
}

function isUsage(error: unknown): boolean {
  if (error instanceof UsageError) return true;
  const code = `${(error as NodeJS.ErrnoException).code}`;
  return code.startsWith('ERR_PARSE_ARGS_') || USAGE_CODES.includes(code);
}

/** One line, as text or as JSON. */
function lineOf(error: unknown, isJson: boolean): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const said = `${message}`.replaceAll(/\s*\n\s*/g, ' ');
  if (isJson) return JSON.stringify({ error: { code, message: said } });
  const named = error instanceof SharedCacheError ? `${code}: ${said}` : said;
  return `mooncake-cache: ${named}${isUsage(error) ? ' Try --help.' : ''}`;
}

const args = process.argv.slice(2);
try {
  process.exitCode = await main(args);
} catch (error) {
  process.stderr.write(`${lineOf(error, wantsJson(args))}\n`);
  process.exitCode = isUsage(error) ? 2 : 1;
}

#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { SharedCacheError } from '../index.js';
import { runCommand } from './commands.js';
import { commandOf, helpOf, UsageError } from './usage.js';

// Whoever reads, such as head, may have had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

async function main(args: readonly string[]): Promise<number> {
  const [name = '--help', ...rest] = args;
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(`${helpOf()}\n`);
    return args.length > 0 ? 0 : 2;
  }
  const usage = commandOf(name);
  const options = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' }, ...usage.options } as const;
  const { positionals, values } = parseArgs({ args: rest, options, allowPositionals: true });
  if (values.help === true) {
    process.stdout.write(`${helpOf(name)}\n`);
    return 0;
  }
  const most = name === 'serve' ? 1 : usage.words.length;
  if (positionals.length < usage.words.length || positionals.length > most)
    throw new UsageError(`${name} takes ${usage.words.join(' ') || 'PATH or --size'}`);
  return runCommand(name, { words: positionals, values });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const isUsage = error instanceof UsageError || code?.startsWith('ERR_PARSE_ARGS_') === true;
  const said = error instanceof SharedCacheError ? `${code}: ${message}` : `${message}`;
  process.stderr.write(`mooncake-cache: ${said.replaceAll(/\s*\n\s*/g, ' ')}${isUsage ? ' Try --help.' : ''}\n`);
  process.exitCode = isUsage ? 2 : 1;
}

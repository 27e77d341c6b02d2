import { SharedCacheError } from '../../index.js';
import type { Client, Command } from './command.js';
import { CONNECTION_COMMANDS } from './connection-commands.js';
import { KEY_COMMANDS } from './key-commands.js';
import { array, bulk, errorReply, integer, map, RespError } from './reply.js';
import { STRING_COMMANDS } from './string-commands.js';

/** COMMAND: what there is. Without DOCS redis-cli gives no hints, and nothing else is amiss. */
const COMMAND: Command = {
  arity: -1,
  run({ protocol }, args) {
    const sub = args.length > 1 ? args[1].toLowerCase() : '';
    if (sub === 'docs') return map([], protocol);
    if (sub === 'count' && args.length === 2) return integer(COMMANDS.size);
    if (sub !== '') throw new RespError('ERR unknown subcommand or wrong number of arguments for COMMAND: COUNT, DOCS');
    return array([...COMMANDS].map(([name, { arity }]) => array([bulk(name), integer(arity), array([])])));
  },
};

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  Object.entries({ ...STRING_COMMANDS, ...KEY_COMMANDS, ...CONNECTION_COMMANDS, command: COMMAND }),
);

/** By the names as clients write them: nearly always in one case. */
const BY_NAME: ReadonlyMap<string, Command> = new Map(
  [...COMMANDS].flatMap(([name, command]) => [
    [name, command],
    [name.toUpperCase(), command],
  ]),
);

/** Runs a command and returns its reply. Nothing it throws goes further. */
export function run(client: Client, args: readonly string[]): string {
  const command = BY_NAME.get(args[0]) ?? BY_NAME.get(args[0].toLowerCase());
  try {
    if (!client.isAllowed && command?.isOpen !== true) throw new RespError('NOAUTH Authentication required.');
    if (command === undefined) throw new RespError(`ERR unknown command '${shown(args[0])}'`);
    const { arity } = command;
    if (arity < 0 ? args.length < -arity : args.length !== arity)
      throw new RespError(`ERR wrong number of arguments for '${args[0].toLowerCase()}' command`);
    return command.run(client, args);
  } catch (error) {
    if (error instanceof RespError) return errorReply(error.message);
    if (error instanceof SharedCacheError) return errorReply(`ERR ${error.message}`);
    return errorReply('ERR the server failed on this command');
  }
}

const shown = (text: string): string => text.slice(0, 64).replace(/[^ -~]/g, '?');

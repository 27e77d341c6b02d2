/** HELLO, AUTH, INFO and what else is about the connection and the server. */
import { isToken } from '../token.js';
import type { Client, Command } from './command.js';
import { array, bulk, integer, map, nil, OK, RespError, syntaxError } from './reply.js';

/** The version whose commands these are: clients choose by it what they send. */
const REDIS_VERSION = '7.0.0';

export const CONNECTION_COMMANDS: Readonly<Record<string, Command>> = {
  ping: {
    arity: -1,
    run(_client, args) {
      if (args.length > 2) throw new RespError("ERR wrong number of arguments for 'ping' command");
      return args.length === 2 ? bulk(args[1]) : '+PONG\r\n';
    },
  },
  echo: { arity: 2, run: (_client, args) => bulk(args[1]) },
  quit: {
    arity: -1,
    isOpen: true,
    run(client) {
      client.isQuitting = true;
      return OK;
    },
  },
  hello: { arity: -1, isOpen: true, run: hello },
  auth: {
    arity: -2,
    isOpen: true,
    run(client, args) {
      if (args.length > 3) throw syntaxError();
      authenticate(client, args.length === 3 ? args[1] : 'default', args[args.length - 1]);
      return OK;
    },
  },
  select: {
    arity: 2,
    run(_client, args) {
      if (args[1] !== '0') throw new RespError('ERR DB index is out of range: there is one, 0');
      return OK;
    },
  },
  info: { arity: -1, run: (client) => bulk(info(client)) },
  client: { arity: -2, run: clientCommand },
};

function authenticate(client: Client, user: string, password: string): void {
  const { token } = client.served;
  if (token === undefined)
    throw new RespError('ERR AUTH called without any token configured: this server asks for none');
  if (!isToken(password, token) || user !== 'default')
    throw new RespError('WRONGPASS invalid username-password pair or user is disabled.');
  client.isAllowed = true;
}

function hello(client: Client, args: readonly string[]): string {
  const version = args.length > 1 ? args[1] : `${client.protocol}`;
  if (version !== '2' && version !== '3') throw new RespError('NOPROTO unsupported protocol version');
  let name: string | undefined;
  for (let at = 2; at < args.length; ) {
    const word = args[at].toLowerCase();
    if (word === 'auth' && at + 2 < args.length) {
      authenticate(client, args[at + 1], args[at + 2]);
      at += 3;
    } else if (word === 'setname' && at + 1 < args.length) {
      name = nameOf(args[at + 1]);
      at += 2;
    } else {
      throw syntaxError();
    }
  }
  if (!client.isAllowed)
    throw new RespError(
      'NOAUTH HELLO must be called with the client already authenticated, or with AUTH default TOKEN',
    );
  client.protocol = version === '3' ? 3 : 2;
  client.name = name ?? client.name;
  const about: Record<string, string> = {
    server: bulk('redis'),
    version: bulk(REDIS_VERSION),
    proto: integer(client.protocol),
    id: integer(client.id),
    mode: bulk('standalone'),
    role: bulk('master'),
    modules: array([]),
  };
  return map(
    Object.entries(about).flatMap(([field, value]) => [bulk(field), value]),
    client.protocol,
  );
}

function nameOf(name: string): string {
  if (!/^[!-~]{0,128}$/.test(name)) throw new RespError('ERR Client names must be up to 128 visible ASCII characters');
  return name;
}

function clientCommand(client: Client, args: readonly string[]): string {
  switch (`${args[1].toLowerCase()} ${args.length}`) {
    case 'setname 3':
      client.name = nameOf(args[2]);
      return OK;
    case 'getname 2':
      return client.name === '' ? nil(client.protocol) : bulk(client.name);
    case 'id 2':
      return integer(client.id);
    case 'setinfo 4':
      return OK;
    default:
      throw new RespError(
        'ERR unknown subcommand or wrong number of arguments for CLIENT: ID, GETNAME, SETNAME, SETINFO',
      );
  }
}

function info({ served: { cache } }: Client): string {
  const stats = cache.getStats();
  return `${[
    '# Server',
    `redis_version:${REDIS_VERSION}`,
    'redis_mode:standalone',
    'server_name:mooncake-cache',
    `process_id:${process.pid}`,
    '# Memory',
    `used_memory:${stats.memoryUsage}`,
    `maxmemory:${stats.maxBytes}`,
    '# Persistence',
    'loading:0',
    '# Stats',
    `keyspace_hits:${stats.hits}`,
    `keyspace_misses:${stats.misses}`,
    `evicted_keys:${stats.evictions}`,
    `expired_keys:${stats.expirations}`,
    '# Replication',
    'role:master',
    'connected_slaves:0',
    '# Keyspace',
    `db0:keys=${stats.totalObjects},expires=0,avg_ttl=0`,
  ].join('\r\n')}\r\n`;
}

import { join } from 'node:path';
import { serverProgram, startServer as start } from '../../scripts/services/redis.js';
import type { Host } from './adapter.js';

/** A server of this run alone, on a unix socket in a directory of its own. */
export async function startServer(): Promise<Host> {
  const program = serverProgram();
  if (program === undefined) throw new Error('no redis-server or valkey-server');
  const { folder, stop } = await start(program, '--unixsocket', 'socket');
  return { handle: () => ({ value: join(folder, 'socket') }), close: stop };
}

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { LoadApi } from './load-api.js';
import { processEndpoint } from './process-endpoint.js';

/** A load thread, wherever it runs. */
export interface Member {
  readonly api: Remote<LoadApi>;
  end(): Promise<unknown>;
}

const program = new URL('../../workers/bench-load.js', import.meta.url);

export function startThread(execArgv: readonly string[]): Member {
  const worker = new Worker(program, { execArgv: [...execArgv] });
  worker.on('error', (error) => {
    throw error;
  });
  return { api: wrap<LoadApi>(nodeEndpoint(worker)), end: () => worker.terminate() };
}

export function startProcess(execArgv: readonly string[]): Member {
  const child = fork(program, { execArgv: [...execArgv], serialization: 'advanced' });
  let ending = false;
  child.on('exit', (code, signal) => {
    if (!ending) throw new Error(`a load process ended with ${signal ?? code}`);
  });
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    ending = true;
    child.kill();
    await once(child, 'exit');
  };
  return { api: wrap<LoadApi>(processEndpoint(child)), end };
}

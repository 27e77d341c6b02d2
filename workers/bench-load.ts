import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { Load } from '../bench/harness/load.js';
import { processEndpoint } from '../bench/harness/process-endpoint.js';

/** A thread, or a process, that puts load on the store of one benchmark adapter. */
if (parentPort !== null) expose(new Load(), nodeEndpoint(parentPort));
else if (process.send !== undefined) expose(new Load(), processEndpoint(process));

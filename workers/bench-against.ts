import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { AgainstLoad } from '../bench/against/load.js';

/** A thread that puts load on the cache of one of two builds that are compared. */
if (parentPort !== null) expose(new AgainstLoad(), nodeEndpoint(parentPort));

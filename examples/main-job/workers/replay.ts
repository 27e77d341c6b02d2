/** Replays one stretch of a trace on the cache that all threads share. */
import { threadId } from 'node:worker_threads';
import type { TaskContext } from 'mooncake-cache';
import type { TraceRequest } from '../trace/read.js';
import { addReuse, type BlockHome, NO_REUSE, type Reuse, replayRequest } from '../trace/replay.js';

export default function task(batch: readonly TraceRequest[], { cache }: TaskContext<BlockHome>): Reuse {
  return batch.map((blocks) => replayRequest(blocks, cache, threadId)).reduce(addReuse, NO_REUSE);
}

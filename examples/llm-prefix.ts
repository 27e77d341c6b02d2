/**
 * Prefix reuse for LLM prompts: a prompt is cut into blocks, and each block is named by a hash over everything up to its
 * end. What the model computed for a block can be reused by every prompt that begins alike, on whichever thread.
 *
 *   node dist/examples/llm-prefix.js
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { SharedCache, type SharedCacheHandle } from 'mooncake-cache';

const THREADS = 3;
const USERS_PER_THREAD = 20;
const TURNS = 4;
/** Characters here; tokens in earnest. */
const BLOCK_LENGTH = 64;
const SYSTEM_PROMPT = 'You answer questions about shared memory, briefly and with an example. '.repeat(20);

interface Counts {
  blocks: number;
  reused: number;
}

/** Hashes of the whole blocks of a prompt, each over all blocks before it as well: equal hashes mean equal beginnings. */
function blockHashes(prompt: string): string[] {
  const hashes: string[] = [];
  let before = '';
  for (let end = BLOCK_LENGTH; end <= prompt.length; end += BLOCK_LENGTH) {
    const block = prompt.slice(end - BLOCK_LENGTH, end);
    before = createHash('sha256').update(before).update(block).digest('base64url');
    hashes.push(before);
  }
  return hashes;
}

/** Stands for the keys and values that a model computes for a block, here so that they can be checked. */
function compute(hash: string): Float32Array {
  return Float32Array.from({ length: 64 }, (_, i) => hash.charCodeAt(i % hash.length) + i);
}

/** What serving a prompt needs: the blocks known from its start on are read, the others computed and remembered. */
function serve(cache: SharedCache<Float32Array>, prompt: string): Counts {
  const hashes = blockHashes(prompt);
  const known = cache.longestPrefix(hashes);
  const reused = cache.getMany(hashes.slice(0, known));
  for (const [i, block] of reused.entries()) assert.deepEqual(block, compute(hashes[i] as string));
  const missing = hashes.slice(known).map((hash): [string, Float32Array] => [hash, compute(hash)]);
  assert.equal(cache.putMany(missing), missing.length);
  return { blocks: hashes.length, reused: known };
}

/** Conversations: each turn's prompt is the one before it with more text. */
function work(cache: SharedCache<Float32Array>, thread: number): Counts {
  const total: Counts = { blocks: 0, reused: 0 };
  for (let user = 0; user < USERS_PER_THREAD; user++) {
    let prompt = SYSTEM_PROMPT;
    for (let turn = 0; turn < TURNS; turn++) {
      prompt += `User ${user} of thread ${thread} asks question number ${turn}. `.padEnd(2 * BLOCK_LENGTH, '?');
      const { blocks, reused } = serve(cache, prompt);
      total.blocks += blocks;
      total.reused += reused;
    }
  }
  return total;
}

if (isMainThread) {
  using cache = new SharedCache<Float32Array>({ maxBytes: '32MB' });
  // The system prompt is warmed up once, and reused by everyone.
  const first = serve(cache, SYSTEM_PROMPT);
  assert.equal(first.reused, 0);
  const workers = Array.from(
    { length: THREADS },
    (_, thread) => new Worker(new URL(import.meta.url), { workerData: { handle: cache.handle, thread }, execArgv: [] }),
  );
  const counts = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as Counts));
  const blocks = counts.reduce((sum, thread) => sum + thread.blocks, 0);
  const reused = counts.reduce((sum, thread) => sum + thread.reused, 0);

  // What is new in a prompt is what its turn added, two blocks; all before it is reused.
  assert.equal(blocks - reused, THREADS * USERS_PER_THREAD * TURNS * 2);
  assert.equal(cache.size, first.blocks + blocks - reused);
  assert.equal(serve(cache, SYSTEM_PROMPT).reused, first.blocks);
  console.log(`${blocks} blocks of prompts on ${THREADS} threads, ${Math.round((100 * reused) / blocks)} % reused`);
} else {
  const { handle, thread } = workerData as { handle: SharedCacheHandle; thread: number };
  using cache = SharedCache.attach<Float32Array>(handle);
  parentPort?.postMessage(work(cache, thread));
}

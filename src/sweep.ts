import { Arena, type ArenaBuffers } from './memory/arena.js';
import { monotonicMs } from './sync/monotonic.js';
import { sweepSome } from './table/sweep.js';
import { Table } from './table/table.js';

/** Longest that one tick removes entries, ms. */
const TICK_BUDGET_MS = 5;
/** A full round over the cache takes about this many ticks. */
const TICKS_PER_ROUND = 20;

/** The background sweep of one cache, as its own thread runs it. */
export interface Sweep {
  /** Advances the clock and sweeps a little. */
  tick(): void;
  close(): void;
}

export function attachSweep(buffers: ArenaBuffers): Sweep {
  const table = Table.of(Arena.attach(buffers), { service: true });
  const { clock, shards } = table;
  let turn = 0;
  return {
    tick() {
      // Of all processes one sweeps; the lock that says who is given back when it dies.
      if (table.place !== undefined && !table.place.trySweep()) return;
      clock.tick();
      const end = monotonicMs() + TICK_BUDGET_MS;
      for (let i = 0; i < shards.length && monotonicMs() < end; i++) {
        const shard = shards[turn++ % shards.length];
        // The sweeper also finds locks whose owners died with nobody waiting.
        shard.releaseDead();
        sweepSome(shard, Math.max(1, Math.ceil(shard.heap.usedPages / TICKS_PER_ROUND)));
      }
    },
    close() {
      clock.stopTicking();
      table.release();
    },
  };
}

/**
 * One machine of the fleet that is measured: `fork(member.js, [JSON.stringify(FleetSeat)])`. Says { ready }, fills its memory,
 * and for each 'round' reads for so long and says what it did; told 'write', it overwrites keys one by one and says when each
 * was acknowledged; told 'watch', it reads those keys all the time and says what it saw when.
 */
import { monotonicMs } from '../../src/sync/monotonic.js';
import { seededRandom } from '../workloads/random.js';
import { RIVALS } from './rivals.js';

export interface FleetSeat {
  rival: string;
  url: string;
  keys: number;
  valueBytes: number;
  /** Of 100 reads, how many are of keys that nobody has asked for: the remote has to answer. */
  missesOf100: number;
  seed: number;
}

export type FleetOrder =
  | { do: 'fill' }
  | { do: 'warm' }
  | { do: 'round'; ms: number; atOnce: number }
  | { do: 'write'; count: number }
  | { do: 'watch'; ms: number };

export interface Round {
  reads: number;
  ms: number;
  /** ms of single reads, a sample. */
  sample: number[];
}

/** When which version of a watched key was acknowledged or seen, ms of the machine's clock. */
export type Sightings = [key: number, version: number, at: number][];

export const WATCHED = 20;
/** Reads whose time is taken: one of so many. */
const SAMPLE = 64;

const seat = JSON.parse(process.argv[2]) as FleetSeat;
const cache = await RIVALS[seat.rival](seat.url);
const value = 'v'.repeat(seat.valueBytes);
const draw = seededRandom(seat.seed);
const random = (bound: number): number => Math.floor(draw() * bound);

const orders: { [K in FleetOrder['do']]: (order: Extract<FleetOrder, { do: K }>) => Promise<unknown> } = {
  async fill() {
    for (let key = 0; key < seat.keys; key++) await cache.put(`k${key}`, value);
  },
  async warm() {
    for (let key = 0; key < seat.keys; key++) await cache.get(`k${key}`);
  },
  async round({ ms, atOnce }): Promise<Round> {
    const sample: number[] = [];
    let reads = 0;
    const start = monotonicMs();
    const end = start + ms;
    const reader = async (): Promise<void> => {
      while (monotonicMs() < end) {
        for (let i = 0; i < SAMPLE; i++) {
          const isMiss = random(100) < seat.missesOf100;
          const key = isMiss ? `absent ${random(2 ** 30)}` : `k${random(seat.keys)}`;
          const before = i === 0 ? monotonicMs() : 0;
          await cache.get(key);
          if (i === 0) sample.push(monotonicMs() - before);
          reads++;
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, reader));
    return { reads, ms: monotonicMs() - start, sample };
  },
  async write({ count }): Promise<Sightings> {
    const written: Sightings = [];
    for (let version = 1; version <= count; version++) {
      for (let key = 0; key < WATCHED; key++) {
        await cache.put(`w${key}`, `${version}`);
        written.push([key, version, monotonicMs()]);
      }
    }
    return written;
  },
  async watch({ ms }): Promise<Sightings> {
    const seen: Sightings = [];
    const end = monotonicMs() + ms;
    for (let turn = 0; monotonicMs() < end; turn++) {
      const key = turn % WATCHED;
      const at = monotonicMs();
      const version = await cache.get(`w${key}`);
      if (version !== undefined && version !== null) seen.push([key, Number(version), at]);
      if (turn % WATCHED === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return seen;
  },
};

process.on('message', async (order: FleetOrder) => {
  process.send?.({ answer: (await orders[order.do](order as never)) ?? null });
});
process.once('disconnect', () => {
  void cache.close().then(() => process.exit());
});
process.send?.({ answer: 'ready' });

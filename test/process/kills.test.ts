/**
 * A process is killed before each statement of opening, closing and removing a file: the next open finds a cache, whole and
 * at once. Control: a file that says it is ready before it is.
 */
import { readdirSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import t from 'tap';
import { openFile } from '../../src/process/open.js';
import { removeFile } from '../../src/process/remove.js';
import { LONG } from '../fixtures/effort.js';
import { type Bug, engineFor, type Teardown } from '../fixtures/instrument.js';
import { Child } from '../fixtures/process/child.js';
import { contentOf, counterOf } from '../fixtures/process/content.js';
import { folderFor } from '../fixtures/process/folder.js';
import { stepped } from '../fixtures/process/stepped.js';

/** One statement in so many; which ones differs from run to run. STRIDE=1 takes them all, in some six minutes. */
const STRIDE = Number(process.env.STRIDE ?? (LONG ? 4 : 30));
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1_000));
t.comment(`SEED=${seed}`);
t.setTimeout(900_000);

const content = contentOf();
/** Believes what the header says: a file that says it is ready must be whole. */
const trusting = { ...content, isSound: () => true };

/** What lies there before, what the victim does, and what the next open may find. */
interface Scene {
  prepare(path: string): void;
  orders(path: string): unknown[];
  /** By origin, the counts that may be there. */
  allowed: Record<string, readonly number[]>;
}

function makeCache(path: string): void {
  const { place } = openFile(path, content);
  counterOf(place.buffers)[0] = 5;
  place.close();
}

const open = (path: string): unknown => ({ do: 'open', path });
const SCENES: Record<string, Scene> = {
  new: { prepare: () => {}, orders: (path) => [open(path)], allowed: { new: [0], warm: [0] } },
  warm: {
    prepare: makeCache,
    orders: (path) => [open(path), { do: 'add', times: 2 }, { do: 'close' }],
    allowed: { warm: [5, 7] },
  },
  discarded: {
    prepare(path) {
      makeCache(path);
      truncateSync(path, 90_000);
    },
    orders: (path) => [open(path)],
    allowed: { discarded: [0], new: [0], warm: [0] },
  },
  removed: {
    prepare: makeCache,
    orders: (path) => [{ do: 'remove', path }],
    allowed: { warm: [5], new: [0] },
  },
};

/** Kills the scene's victim before step `at`; undefined when it came to its end before. */
async function killAt(path: string, scene: Scene, room: string, at: number): Promise<string | undefined> {
  removeFile(path);
  scene.prepare(path);
  const child = new Child({ PROCESS_ROOM: room, KILL_AT: String(at) });
  let ended = true;
  for (const order of scene.orders(path)) {
    if ((await child.ask(order)) !== undefined) continue;
    ended = false;
    break;
  }
  await child.kill();
  if (ended) return undefined;
  const startedAt = performance.now();
  try {
    const { place, origin } = openFile(path, trusting);
    const count = counterOf(place.buffers)[0];
    const isSound = content.isSound(place.buffers, 'plain');
    place.close();
    if (!isSound) return `${origin}, not whole`;
    if (scene.allowed[origin]?.includes(count) !== true) return `${origin} with a count of ${count}`;
    const left = readdirSync(dirname(path));
    if (left.length !== 1) return `beside it lie ${left}`;
    return performance.now() - startedAt > 3_000 ? `${performance.now() - startedAt} ms` : '';
  } catch (error) {
    return String(error);
  }
}

async function run(t: Teardown, scene: Scene, bug: Bug | undefined, stride: number) {
  const path = `${folderFor(t)}/cache`;
  const { entry } = engineFor(t, bug, stepped);
  const problems: string[] = [];
  let kills = 0;
  for (let at = seed % stride; problems.length === 0; at += stride) {
    const problem = await killAt(path, scene, new URL('./process/', entry).href, at);
    if (problem === undefined) break;
    kills++;
    if (problem !== '') problems.push(`before step ${at}: ${problem}`);
  }
  return { kills, problems };
}

for (const [name, scene] of Object.entries(SCENES)) {
  t.test(`killed before a step of: ${name}`, async (t) => {
    const { kills, problems } = await run(t, scene, undefined, STRIDE);
    t.comment(`${kills} kills`);
    t.ok(kills > 1);
    t.same(problems, []);
  });
}

t.test('control: the header says ready before the file is', async (t) => {
  const bug = {
    file: 'process/header.js',
    from: 'page.writeInt32LE(STATE.making, AT.state)',
    to: 'page.writeInt32LE(STATE.ready, AT.state)',
  };
  const { problems } = await run(t, SCENES.new, bug, 10);
  t.match(problems[0], /not whole|discarded/);
});

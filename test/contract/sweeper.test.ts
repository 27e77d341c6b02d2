/** The background sweep: where no thread can be started for it, and what it leaves of caches that were closed. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { NO_THREADS, plainNode } from '../fixtures/plain-node.js';

type Test = Pick<typeof t, 'equal'>;

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url));
// glibc keeps what is freed unless it was mapped, and maps less and less as it learns: here it always maps.
const ALWAYS_MAP = { MALLOC_MMAP_THRESHOLD_: '1000000' };
async function sweeps(t: Test, program: string, flags: readonly string[] = []): Promise<void> {
  const { stdout, stderr } = await plainNode([...flags, fixture('sweeping'), program]);
  t.equal(stdout, 'swept\n');
  t.equal(stderr, '');
}

t.test('a cache is swept by its own thread', (t) => sweeps(t, 'plain'));

t.test('without the permission to start threads the creator sweeps', async (t) => {
  await sweeps(t, 'plain', NO_THREADS);
  await sweeps(t, 'faked after the import', NO_THREADS);
});

for (const timers of ['undefined', 'a number']) {
  t.test(`timers that are faked before the library is loaded and return ${timers}`, async (t) => {
    await sweeps(t, `faked before the import: ${timers}`, NO_THREADS);
  });
}

t.test('when the thread ends the creator sweeps', (t) => sweeps(t, 'a thread that ends'));

const LIMITED = 'unset NODE_OPTIONS; ulimit -n 256; exec "$0" "$@"';

for (const spare of ['1', '6']) {
  t.test(`with ${spare} descriptors to spare, too few for a thread, the creator sweeps`, async (t) => {
    const program = [process.execPath, fixture('sweeping'), 'no descriptor', spare];
    const { stdout } = await promisify(execFile)('sh', ['-c', LIMITED, ...program], { timeout: 60_000 });
    t.equal(stdout, 'swept\n');
  });
}

const CACHES = 24;

/** MB by which the process has grown. */
async function growth(mode: 'SWEEP' | 'HELD'): Promise<number> {
  const args = ['--expose-gc', fixture('closed-caches'), mode, String(CACHES)];
  return Number((await plainNode(args, ALWAYS_MAP)).stdout);
}

t.test('the memory of closed caches is freed while others are swept', async (t) => {
  const swept = await growth('SWEEP');
  t.ok(swept < 100, `grown by ${swept} MB after ${CACHES} caches of 8 MB`);
  const held = await growth('HELD');
  t.ok(held > 120, `grown by ${held} MB when an idle thread has seen them: the measure tells`);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import t from 'tap';
import { temporaryDirectory } from '../../scripts/cleanup.js';

const module = new URL('../../scripts/cleanup.js', import.meta.url).href;

/** Starts a process that makes a directory, prints its path and then runs `then`. */
function start(then: string) {
  const program = `
    import { temporaryDirectory } from '${module}';
    const directory = temporaryDirectory('${tmpdir()}', 'bench-test-');
    console.log(directory.path);
    ${then}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH },
  });
  return child;
}

async function pathOf(child: ReturnType<typeof start>): Promise<string> {
  const [line] = await once(child.stdout, 'data');
  return String(line).trim();
}

const FOR_EVER = 'setInterval(() => {}, 1000);';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  t.test(`${signal} leaves nothing behind and ends the process as ${signal}`, async (t) => {
    const child = start(FOR_EVER);
    const path = await pathOf(child);
    t.ok(existsSync(path), 'it was there');
    child.kill(signal);
    const [code, endedBy] = await once(child, 'exit');
    t.equal(code, null);
    t.equal(endedBy, signal);
    t.notOk(existsSync(path));
  });
}

t.test('neither does an exception nor a normal end', async (t) => {
  for (const [then, wanted] of [
    ["setImmediate(() => { throw new Error('planned'); });", 1],
    ['', 0],
    ['process.exit(3);', 3],
  ] as const) {
    const child = start(then);
    const path = await pathOf(child);
    const [code] = await once(child, 'exit');
    t.equal(code, wanted);
    t.notOk(existsSync(path));
  }
});

t.test('a thread that never yields does not keep an interrupted process', async (t) => {
  const child = start(`
    import { Worker } from 'node:worker_threads';
    new Worker('for (;;);', { eval: true });
    ${FOR_EVER}`);
  const path = await pathOf(child);
  child.kill('SIGINT');
  const [, endedBy] = await once(child, 'exit');
  t.equal(endedBy, 'SIGINT');
  t.notOk(existsSync(path));
});

t.test('what is no longer needed can go at once, and twice does no harm', async (t) => {
  const directory = temporaryDirectory(tmpdir(), 'bench-test-');
  t.ok(existsSync(directory.path));
  directory.remove();
  directory.remove();
  t.notOk(existsSync(directory.path));
});

/**
 * Runs the compiled tests, which are written with tap, and closes with one line, `N passed, N failed`: their assertions.
 *
 *   node scripts/test.mjs [--long] [path fragment...]     only the test files whose path contains one of the fragments
 *
 * With --long the files that can do more (they import test/fixtures/effort.ts), and they do; and those of the fleet and its
 * servers once more, on Valkey instead of Redis, if it can be had. Without it all files.
 * The list of files comes from the sources (test/**\/*.test.ts), so a stale file in dist/ is never run.
 * What all files wrote is kept in .tap/last-run.tap.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Parser } from 'tap-parser';

/**
 * Seconds before one file is given up. On a quiet machine a file is meant to take less than 15, in the long run 150; the
 * storm of processes takes 30 and 400.
 */
const FILE_TIMEOUT_SECONDS = { usual: 180, long: 1_200 };
const GRACE_SECONDS = 10;
/** A file that takes longer is named each time as many seconds have passed, so that nobody wonders what is waited for. */
const PATIENCE_SECONDS = 60;
/** Most test files start threads of their own: more files at once than this only adds noise. */
const MAX_JOBS = 4;

const hasGroups = process.platform !== 'win32';
const root = fileURLToPath(new URL('..', import.meta.url));
const isLong = process.argv.includes('--long');
const fragments = process.argv.slice(2).filter((argument) => argument !== '--long');
const matching = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
  .map((name) => `test/${name.replaceAll('\\', '/')}`)
  .filter((name) => name.endsWith('.test.ts') && !name.includes('/fixtures/'))
  .filter((name) => fragments.length === 0 || fragments.some((part) => name.includes(part)))
  .sort();
const canDoMore = matching.filter((name) => readFileSync(root + name, 'utf8').includes('/effort.js'));
// They take longest, so they begin: no core shall wait for the last of them.
const sources = isLong ? canDoMore : [...new Set([...canDoMore, ...matching])];
/** @type {{ file: string, on?: string }[]} `on` names another kind of server than what the tests take by themselves. */
const runs = sources.map((name) => ({ file: compiled(name) }));
if (isLong) runs.push(...(await onValkey(matching.filter((name) => /^test\/(tier|services)\//.test(name)))));
if (runs.length === 0) {
  console.error(`no${isLong ? ' long' : ''} test file matches ${fragments.join(', ')}`);
  process.exit(1);
}

const jobs = Math.max(2, Math.min(MAX_JOBS, availableParallelism() - 1));
console.log(`${runs.length} test files, ${jobs} at a time`);
mkdirSync(`${root}.tap`, { recursive: true });
const record = createWriteStream(`${root}.tap/last-run.tap`);
const total = { passed: 0, failed: 0 };
const waiting = [...runs];
/** Process groups of the files that run now. @type {Set<number>} */
const groups = new Set();
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.once(signal, () => interrupt(signal));
let finished = 0;
await Promise.all(Array.from({ length: jobs }, work));
record.end();
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** @param {{ file: string, on?: string }} run */
function nameOf({ file, on }) {
  return on === undefined ? file : `${file} on ${on}`;
}

/** @param {string} name */
function compiled(name) {
  return `dist/${name.replace(/\.ts$/, '.js')}`;
}

/**
 * Those files on Valkey; none where it cannot be had, which says why. It is fetched here, once, before they want it side by side.
 * @param {string[]} names
 */
async function onValkey(names) {
  if (names.length === 0) return [];
  /** @type {typeof import('./services/redis.js')} */
  const { serverProgram } = await import(new URL('../dist/scripts/services/redis.js', import.meta.url).href);
  return serverProgram('valkey') === undefined ? [] : names.map((name) => ({ file: compiled(name), on: 'valkey' }));
}

/** Runs one waiting file after the other. */
async function work() {
  for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
    const startedAt = performance.now();
    const { passed, failed, said, output } = await runFile(run);
    const file = nameOf(run);
    total.passed += passed;
    total.failed += failed;
    finished += 1;
    const place = `${String(finished).padStart(String(runs.length).length)}/${runs.length}`;
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${failed === 0 ? 'ok    ' : 'FAILED'} ${place} ${file.replace(/^dist\//, '')} (${seconds} s)`);
    process.stdout.write(said);
    record.write(`# ${file}, ${seconds} s\n${output}`);
  }
}

/**
 * A test file is a program that writes TAP: it needs no runner around it, and starts in a third of the time without tap's,
 * whose hooks follow every process that a test starts.
 * @param {{ file: string, on?: string }} run
 */
async function runFile({ file, on }) {
  const timeoutSeconds = isLong ? FILE_TIMEOUT_SECONDS.long : FILE_TIMEOUT_SECONDS.usual;
  const child = spawn(process.execPath, [`--import=${new URL('plain-workers.mjs', import.meta.url)}`, file], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: what it started ends with it, and cannot hold its output open.
    detached: hasGroups,
    env: {
      ...process.env,
      TAP: '1',
      TAP_TIMEOUT: String(timeoutSeconds),
      ...(isLong ? { LONG: '1' } : {}),
      ...(on && { SERVER_KIND: on }),
    },
  });
  const group = child.pid ?? 0;
  groups.add(group);
  const parser = new Parser();
  /** @type {string[]} */
  const said = [];
  let output = '';
  // tap ends the file itself, and says what it was at; this is for one that stands still.
  const timer = setTimeout(
    () => {
      said.push(
        `         stood still; its processes, and the end of what it wrote:\n${processesOf(group)}${output.slice(-2_000)}\n`,
      );
      endGroup(group, 'SIGKILL');
    },
    (timeoutSeconds + GRACE_SECONDS) * 1000,
  );
  const startedAt = performance.now();
  const reminder = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    console.log(`       ... ${nameOf({ file, on })} has run for ${seconds} s`);
  }, PATIENCE_SECONDS * 1000);
  const counts = tally(parser, said);
  const complete = new Promise((resolve) => parser.on('complete', resolve));
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stdout.pipe(parser);
  child.stderr.setEncoding('utf8').on('data', (text) => said.push(text));
  const closed = once(child, 'close');
  const [code, signal] = await once(child, 'exit');
  clearTimeout(timer);
  clearInterval(reminder);
  endGroup(group, 'SIGKILL');
  groups.delete(group);
  // What left the group may still hold the output: nothing it says now is the test's.
  const giveUp = setTimeout(() => {
    child.stdout.destroy();
    child.stderr.destroy();
    parser.end();
  }, GRACE_SECONDS * 1000);
  await closed;
  clearTimeout(giveUp);
  const { ok } = await complete;
  // A file can fail without a failed assertion: it never started, was killed, or ended before its plan.
  if (counts.failed === 0 && (code !== 0 || !ok)) {
    counts.failed = 1;
    said.push(`not ok   ${file} ended with ${signal ?? code}${ok ? '' : ', its TAP incomplete or wrong'}\n`);
  }
  return { ...counts, said: said.join(''), output };
}

/**
 * @param {number} group the process that leads it
 * @param {NodeJS.Signals} signal
 */
function endGroup(group, signal) {
  try {
    process.kill(hasGroups ? -group : group, signal);
  } catch {
    // Nobody is left.
  }
}

/** Passes a signal on to the files that run, which have a terminal's Ctrl+C not, and dies of it. @param {NodeJS.Signals} signal */
function interrupt(signal) {
  for (const group of groups) endGroup(group, signal);
  process.kill(process.pid, signal);
}

/** A line for each process of that group, where there is a `ps` to ask. @param {number} group */
function processesOf(group) {
  const { stdout } = spawnSync('ps', ['-o', 'pid,ppid,stat,etimes,time,args', '-g', `${group}`], { encoding: 'utf8' });
  return stdout ?? '';
}

/**
 * Counts the assertions of a TAP stream and of its subtests at any depth, and collects what they say (their seeds) and
 * every failure with its diagnosis. A subtest's own closing line counts only when it alone failed (a timeout, a missed plan).
 * @param {Parser} stream
 * @param {string[]} said
 * @returns {{ passed: number, failed: number }} filled in while the stream runs
 */
function tally(stream, said) {
  const counts = { passed: 0, failed: 0 };
  /** @type {{ passed: number, failed: number } | undefined} */
  let subtest;
  stream.on('extra', (line) => said.push(`         ${line}`));
  stream.on('comment', (line) => {
    if (!/^# (Subtest|time=|\{ total)/.test(line)) said.push(`         ${line}`);
  });
  stream.on('child', (child) => {
    subtest = tally(child, said);
  });
  stream.on('assert', (result) => {
    const inner = subtest;
    subtest = undefined;
    counts.passed += inner?.passed ?? 0;
    counts.failed += inner?.failed ?? 0;
    if (result.skip || result.todo) {
      said.push(`         skipped ${result.name}: ${result.skip || result.todo}\n`);
      return;
    }
    if (result.ok) {
      if (inner === undefined) counts.passed += 1;
    } else if (inner === undefined || inner.failed === 0) {
      counts.failed += 1;
      said.push(describe(result));
    }
  });
  return counts;
}

/**
 * @param {{ fullname: string, diag: Record<string, unknown> | null }} failure
 * @returns {string}
 */
function describe({ fullname, diag }) {
  const lines = Object.entries(diag ?? {}).map(([name, value]) => {
    const text = typeof value === 'string' ? value.trimEnd() : JSON.stringify(value);
    return `  ${name}: ${text.includes('\n') ? '\n' : ''}${text}`.replaceAll('\n', '\n    ');
  });
  return `${[`not ok   ${fullname}`, ...lines].join('\n')}\n`;
}

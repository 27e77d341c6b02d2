/**
 * Writes the tables of README and docs that show what was measured, from the raw results in bench/results.
 *
 *   node scripts/figures.mjs [--check]     with --check it changes nothing, and fails where a table says something else
 *
 * A table stands between `<!-- figures: NAME -->` and `<!-- /figures -->`; NAME is one of TABLES below.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const check = process.argv.includes('--check');
const root = resolve(
  process.argv.slice(2).find((each) => each !== '--check') ?? fileURLToPath(new URL('..', import.meta.url)),
);
const results = (/** @type {string} */ name) => JSON.parse(readFileSync(`${root}/bench/results/${name}.json`, 'utf8'));

const WAYS = {
  map: 'a Map in each thread (shares nothing)',
  'lru-cache': 'lru-cache in each thread (shares nothing)',
  mooncake: '**mooncake-cache**',
  'lmdb batched': 'lmdb, batched puts (seen after an event-loop turn)',
  'owner batched': 'an owner thread, 64 requests in a message',
  'lmdb putSync': 'lmdb, putSync',
  sharedmap: 'sharedmap',
  redis: 'Redis over a unix socket, 64 in flight',
  'owner comlink': 'an owner thread over comlink, awaited',
};

/** Each gives the head and the rows of a table. */
const TABLES = {
  /** The README's workload of `npm run bench` on two threads. */
  ways: () => waysOf('str T2 95/5'),

  /** The same in two processes. */
  'ways-processes': () => waysOf('str P2 95/5'),

  /** `npm run bench:costs -- --only open,processes`. */
  'open-costs'() {
    const open = results('cost-open').bounds.map(({ title, wanted, measured }) => [
      `open: ${title}`,
      `${measured.toFixed(0)} ms`,
      `at most ${wanted.toLocaleString('en')} ms`,
    ]);
    const shard = results('cost-processes').bounds.map(({ title, wanted, measured }) => [
      `one shard: ${title}`,
      `${measured.toFixed(2)} x`,
      `at least ${wanted} x`,
    ]);
    return { head: ['what', 'measured', 'aim'], rows: [...open, ...shard] };
  },

  /** `npm run bench:costs`, all but what has a table of its own. */
  costs() {
    const bounds = ['capacity', 'values', 'threads', 'eviction', 'monitor'].flatMap(
      (name) => results(`cost-${name}`).bounds,
    );
    const rows = bounds.map(({ title, kind, wanted, measured, unit }) => [
      title,
      `${measured.toFixed(unit === 'x' ? 2 : unit === '%' ? 1 : 0)} ${unit}`,
      `${kind} ${wanted} ${unit}`,
    ]);
    return { head: ['what', 'measured', 'aim'], rows };
  },

  /** What `npm run bench` is held against. */
  targets() {
    const rows = results('quick').targets.map(({ title, wanted, measured }) => [
      title,
      measured === undefined ? 'not measured' : measured.toFixed(2),
      measured === undefined ? '' : measured >= wanted ? 'met' : 'missed',
    ]);
    return { head: ['target', 'measured', ''], rows };
  },

  /** `npm run bench:dump`. */
  dump() {
    const whole = (/** @type {number} */ ms) => `${Math.round(ms).toLocaleString('en')} ms`;
    const rows = results('dump').measured.map((each) => [
      each.way === 'mooncake' ? '`dump` and `load`' : each.way,
      `${whole(each.store.median)}, ${each.storeRatio.toFixed(2)} x`,
      whole(each.storePause),
      each.load === undefined ? '-' : `${whole(each.load.median)}, ${each.loadRatio.toFixed(2)} x`,
      each.load === undefined ? '-' : whole(each.loadPause),
    ]);
    return { head: ['way', 'to a file', 'longest pause', 'back', 'longest pause'], rows };
  },

  /** `npm run bench:resp`. */
  resp() {
    const rows = results('resp').measured.map(({ command, own, redis, ratio }) => [
      command,
      rate(own),
      rate(redis),
      ratio.median.toFixed(2),
      `${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}`,
    ]);
    return { head: ['command', 'this, a second', 'Redis, a second', 'ratio', 'rounds'], rows };
  },

  'main-job'() {
    const rows = results('main-job').runs.map(({ threads, cache, wallSeconds, computations, cacheKilobytes }) => [
      `${threads} threads, ${cache}`,
      `${wallSeconds.toFixed(2)} s`,
      computations.toLocaleString('en'),
      cacheKilobytes === null ? '-' : `${cacheKilobytes.toLocaleString('en')} KB`,
    ]);
    return { head: ['the same results, with', 'wall time', 'computations', 'cache memory'], rows };
  },

  /** One file for each trace, written by `npm run bench:hitratio -- --trace FILE`. */
  'hit-ratios'() {
    const traces = readdirSync(`${root}/bench/results`)
      .filter((name) => /^hitratio-.*\.json$/.test(name))
      .map((name) => results(name.replace(/\.json$/, '')));
    const isReference = (/** @type {string} */ name) => ['optimum', 'exact LRU'].includes(name);
    const names = Object.keys(traces[0].hitRatios);
    const rows = traces.flatMap(({ trace, entries, hitRatios }) =>
      entries.map((capacity, i) => [
        trace,
        capacity.toLocaleString('en'),
        ...names.map((name) => hitRatios[name][i].toFixed(1)),
      ]),
    );
    return { head: ['trace', 'entries', ...names.map((name) => (isReference(name) ? name : `\`${name}\``))], rows };
  },

  /** Written by `node dist/bench/hitratio/put-cost.js`. */
  'put-cost'() {
    const rows = results('put-cost').policies.map(({ policy, roomNs, evictingNs, ratio }) => [
      `\`${policy}\``,
      Math.round(roomNs).toLocaleString('en'),
      Math.round(evictingNs).toLocaleString('en'),
      ratio.median.toFixed(2),
      `${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}`,
    ]);
    return { head: ['policy', 'put with room, ns', 'put that evicts, ns', 'ratio', 'rounds'], rows };
  },
};

/**
 * One scenario of `npm run bench`, fastest first.
 * @param {string} name
 */
function waysOf(name) {
  const measured = results('quick').measurements.filter(({ scenario }) => scenario === name);
  measured.sort((a, b) => b.opsPerSecond.median - a.opsPerSecond.median);
  const rows = measured.map(({ adapter, opsPerSecond, p99Us }) => [
    WAYS[adapter] ?? adapter,
    rate(opsPerSecond),
    duration(p99Us),
  ]);
  return { head: ['way to share', 'operations a second', 'p99'], rows };
}

const pages = [
  'README.md',
  ...readdirSync(`${root}/docs`).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];
for (const page of pages) {
  const before = readFileSync(`${root}/${page}`, 'utf8');
  const after = before.replace(/(<!-- figures: (\S+) -->\n)[\s\S]*?(\n<!-- \/figures -->)/g, (_, open, name, close) => {
    if (TABLES[name] === undefined)
      throw new Error(`${page}: figures are one of ${Object.keys(TABLES).join(', ')}, not ${name}`);
    return `${open}\n${table(TABLES[name]())}\n${close}`;
  });
  if (after === before) continue;
  if (check) {
    console.error(`${page} differs from bench/results: node scripts/figures.mjs writes it`);
    process.exitCode = 1;
  } else writeFileSync(`${root}/${page}`, after);
}

/**
 * @param {{ head: string[], rows: string[][] }} content
 * @returns {string} in the form that the formatter keeps
 */
function table({ head, rows }) {
  const widths = head.map((title, i) => Math.max(3, title.length, ...rows.map((row) => row[i].length)));
  const line = (/** @type {string[]} */ cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** @param {{ median: number }} perSecond */
function rate({ median }) {
  return Number(median.toPrecision(3)).toLocaleString('en');
}

/** @param {number} us */
function duration(us) {
  const [value, unit] = us < 1_000 ? [us, 'us'] : [us / 1_000, 'ms'];
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
}

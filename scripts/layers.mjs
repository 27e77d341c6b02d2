/**
 * Checks that imports point down only, and names every one that does not.
 *
 *   node scripts/layers.mjs [folder]     default: this checkout
 *
 * A room is a folder of src, a file that lies in src itself, or a folder beside src. Rooms on one floor do not know each
 * other, so there is no circle over rooms; circles of files within a room are the linter's (noImportCycles).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The house from the ground up: a room may import the rooms of the floors below it. */
const FLOORS = [
  ['errors'],
  ['duration', 'installed'],
  ['memory'],
  ['sync'],
  ['codec', 'policy', 'process'],
  ['table', 'monitor'],
  ['arguments', 'options', 'handle', 'cache-timing', 'value-reader', 'debug'],
  ['flight', 'snapshot', 'sweep', 'sweeper-thread'],
  ['session', 'listen', 'sweeper'],
  ['keyspace', 'stats'],
  ['namespace'],
  ['open'],
  ['cache'],
  ['pool'],
  ['index'],
  ['tier', 'adapters'],
  ['server'],
  ['scripts'],
  ['cli', 'bench', 'examples'],
  ['workers'],
  ['test'],
];

/** What a user can import, and the rooms that import nothing else of this package, as a user's program would. */
const PUBLIC = ['index', 'tier', 'adapters', 'server'];
const USERS = ['adapters', 'server', 'cli', 'examples', 'scripts'];

/** Rooms that only these may import, besides the tests. */
const KEPT_FOR = { debug: ['cache', 'index'] };

const PACKAGE = 'mooncake-cache';

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
const floorOf = new Map(FLOORS.flatMap((rooms, floor) => rooms.map((room) => [room, floor])));
const problems = new Set();

for (const folder of ['src', 'workers', 'bench', 'examples', 'test', 'scripts']) {
  for (const file of sourcesIn(folder)) {
    const from = roomOf(file);
    if (!floorOf.has(from)) problems.add(`${file}: the room ${from} has no floor in scripts/layers.mjs`);
    for (const { fileName } of ts.preProcessFile(readFileSync(`${root}/${file}`, 'utf8')).importedFiles) {
      const to = target(file, fileName);
      if (to !== undefined && !isAllowed(from, to))
        problems.add(`${file}: ${from} must not import ${to} (${fileName})`);
    }
  }
}
for (const problem of problems) console.error(problem);
if (problems.size > 0) {
  console.error(
    `Imports point down only: ${FLOORS.map((rooms) => rooms.join(', '))
      .reverse()
      .join(' -> ')}`,
  );
  process.exitCode = 1;
}

/** @param {string} folder */
function sourcesIn(folder) {
  return readdirSync(root, { withFileTypes: true }).some((entry) => entry.name === folder)
    ? readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
        .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
        .filter((name) => /\.[cm]?ts$/.test(name) && !/\.d\.[cm]?ts$/.test(name))
    : [];
}

/** @param {string} file relative to the root */
function roomOf(file) {
  const [folder, name] = file.split('/');
  return folder === 'src' ? name.replace(/\.\w+$/, '') : folder;
}

/**
 * The room that an import leads to; undefined for what is not of this package.
 * @param {string} file
 * @param {string} specifier
 */
function target(file, specifier) {
  if (specifier === PACKAGE) return 'index';
  if (specifier.startsWith(`${PACKAGE}/`)) return specifier.split('/')[1];
  return specifier.startsWith('.') ? roomOf(posix.join(dirname(file), specifier)) : undefined;
}

/**
 * @param {string} from
 * @param {string} to
 */
function isAllowed(from, to) {
  if (from === to || from === 'test') return true;
  if (USERS.includes(from) && !PUBLIC.includes(to)) return false;
  if (KEPT_FOR[to]?.includes(from) === false) return false;
  return floorOf.get(to) < floorOf.get(from);
}

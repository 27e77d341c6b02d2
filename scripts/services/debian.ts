/**
 * Programs from Debian's packages: from the machine where it has them, else installed by apt-get where this user is root,
 * else unpacked into .cache/debian of this checkout, which needs no rights. A rare package may lie in the release's backports,
 * which few machines ask: it is only ever unpacked, by a list of sources of our own, so the machine's stays as it is.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../../.cache/debian/', import.meta.url));
const MIRROR = 'http://deb.debian.org/debian';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** For one step, which may have to download some 100 MB. */
const STEP_MS = 180_000;

/** A program, and the environment it has to run in. */
export interface Program {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A package, and where its program lies in it, from the root of the file system. */
export interface Packaged {
  readonly name: string;
  readonly program: string;
  /** Older releases have it in their backports at best: those are asked too, and it may be missing in CI. */
  readonly isRare?: boolean;
}

/**
 * The program of the first of these packages that can be had. Where none can, one loud line says so and the result is
 * undefined. With CI=true that is an error: tests that do not run prove nothing.
 */
export function programOf(packages: readonly Packaged[]): Program | undefined {
  for (const packaged of packages) {
    const found = installed(packaged) ?? unpacked(packaged);
    if (found !== undefined) return found;
  }
  const reasons: string[] = [];
  for (const packaged of packages) {
    const { name, isRare } = packaged;
    const reason = isRare ? unpack(name, backportsOf()) : isRoot ? install(name) : unpack(name);
    const found = reason === undefined ? (installed(packaged) ?? unpacked(packaged)) : undefined;
    if (found !== undefined) return found;
    reasons.push(`${name}: ${reason ?? `has no ${packaged.program}`}`);
  }
  const message = `CANNOT HAVE ${packages.map(({ name }) => name).join(' or ')} (${reasons.join('; ')})`;
  if (process.env.CI === 'true' && !packages.every(({ isRare }) => isRare)) throw new Error(message);
  console.error(`\n*** ${message}: what needs it does not run ***\n`);
  return undefined;
}

const isRoot = process.getuid?.() === 0;

function installed({ program }: Packaged): Program | undefined {
  return existsSync(program) ? { path: program, env: process.env } : undefined;
}

function unpacked({ name, program }: Packaged): Program | undefined {
  const root = join(CACHE, name);
  const path = join(root, program);
  if (!existsSync(path)) return undefined;
  const libraries = join(root, 'usr', 'lib');
  // What needs no more than the machine has brings none.
  const files = existsSync(libraries) ? readdirSync(libraries, { recursive: true, encoding: 'utf8' }) : [];
  // Some libraries lie in a folder of their own, which an installed program knows by its absolute path.
  const folders = files.filter((file) => /-linux-.*\.so/.test(file)).map((file) => join(libraries, dirname(file)));
  const searched = [...new Set(folders), process.env.LD_LIBRARY_PATH].filter((folder) => folder !== undefined);
  return { path, env: { ...process.env, LD_LIBRARY_PATH: searched.join(delimiter) } };
}

/** Why it could not be installed; undefined when it was. */
function install(name: string): string | undefined {
  // RUNLEVEL=1 keeps the package from starting a service of its own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const step = (...args: string[]): SpawnSyncReturns<string> => locked(env, 'apt-get', '-yq', ...args);
  const once = (): SpawnSyncReturns<string> => step('install', '--no-install-recommends', name);
  console.error(`installing ${name} with apt-get`);
  if (once().status === 0) return undefined;
  // The lists of packages may be missing, or too old to be true.
  const updated = step('update');
  if (updated.status !== 0) return reasonOf(updated);
  const result = once();
  return result.status === 0 ? undefined : reasonOf(result);
}

/** The backports of this release, as a line of a list of sources; undefined on what is no Debian. */
function backportsOf(): string | undefined {
  const file = '/etc/os-release';
  const release = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const [, codename] = /^VERSION_CODENAME="?(\w+)"?$/m.exec(release) ?? [];
  if (codename === undefined || !/^ID="?debian"?$/m.test(release)) return undefined;
  return `deb [signed-by=${KEYRING}] ${MIRROR} ${codename}-backports main`;
}

/**
 * Unpacks a package and all it needs that is not installed. Why it could not be done; undefined when it was. With `source` that
 * line is one more source of packages, and apt's state a second one, so that none takes away what the other has fetched.
 */
function unpack(name: string, source?: string): string | undefined {
  const state = join(CACHE, 'apt', source === undefined ? 'release' : 'backports');
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(state, folder), { recursive: true });
  const settings = [
    `Dir::State::lists=${join(state, 'lists')}`,
    `Dir::Cache=${state}`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
  ];
  if (source !== undefined) {
    // It takes the place of the machine's file; the lists in sources.list.d are read as ever.
    const [list, machines] = [join(state, 'sources.list'), '/etc/apt/sources.list'];
    writeFileSync(list, `${existsSync(machines) ? readFileSync(machines, 'utf8') : ''}\n${source}\n`);
    settings.push(`Dir::Etc::sourcelist=${list}`);
  }
  const options = settings.flatMap((setting) => ['-o', setting]);
  const apt = (...args: string[]): SpawnSyncReturns<string> =>
    locked(process.env, 'apt-get', '-q', ...options, ...args);
  console.error(`unpacking ${name}${source === undefined ? '' : ' from backports'} into ${CACHE}`);
  const updated = apt('update');
  // A source that fails, such as the backports of a release that has none yet, matters only if the package lies there.
  const plan = apt('--simulate', '--no-install-recommends', 'install', name);
  if (plan.status !== 0) return reasonOf(updated.status === 0 ? plan : updated);
  const needed = [...plan.stdout.matchAll(/^Inst (\S+)/gm)].map(([, each]) => each);
  const folder = mkdtempSync(join(CACHE, 'unpacking-'));
  try {
    const script = `cd "$0" && apt-get -q ${options.join(' ')} download "$@" && mkdir root && for deb in *.deb; do dpkg -x "$deb" root || exit; done`;
    const result = locked(process.env, 'sh', '-c', script, folder, ...needed);
    if (result.status !== 0) return reasonOf(result);
    rmSync(join(CACHE, name), { recursive: true, force: true });
    renameSync(join(folder, 'root'), join(CACHE, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return undefined;
}

/** Runs a step while no other process of this checkout runs one: two test files may want programs at once. */
function locked(env: NodeJS.ProcessEnv, ...command: string[]): SpawnSyncReturns<string> {
  mkdirSync(CACHE, { recursive: true });
  return spawnSync('flock', [join(CACHE, 'lock'), ...command], { encoding: 'utf8', timeout: STEP_MS, env });
}

function reasonOf({ error, stderr, status }: SpawnSyncReturns<string>): string {
  return error?.message ?? stderr?.trim().split('\n').pop() ?? `ended with ${status}`;
}

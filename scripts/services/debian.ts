/**
 * Programs from Debian's packages: from the machine where it has them, else installed by apt-get where this user is root,
 * else unpacked into .cache/debian of this checkout, which needs no rights.
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CACHE = fileURLToPath(new URL('../../../.cache/debian/', import.meta.url));
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
  /** Not every release of Debian has it, so it may be missing in CI too. */
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
    const reason = isRoot ? install(packaged.name) : unpack(packaged.name);
    const found = reason === undefined ? (installed(packaged) ?? unpacked(packaged)) : undefined;
    if (found !== undefined) return found;
    reasons.push(`${packaged.name}: ${reason ?? `has no ${packaged.program}`}`);
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
  // Some libraries lie in a folder of their own, which an installed program knows by its absolute path.
  const folders = readdirSync(join(root, 'usr', 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /-linux-.*\.so/.test(file))
    .map((file) => join(root, 'usr', 'lib', dirname(file)));
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

/** Unpacks a package and all it needs that is not installed. Why it could not be done; undefined when it was. */
function unpack(name: string): string | undefined {
  const state = join(CACHE, 'apt');
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(state, folder), { recursive: true });
  const options = [
    `Dir::State::lists=${join(state, 'lists')}`,
    `Dir::Cache=${state}`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
  ].flatMap((option) => ['-o', option]);
  const apt = (...args: string[]): SpawnSyncReturns<string> =>
    locked(process.env, 'apt-get', '-q', ...options, ...args);
  console.error(`unpacking ${name} into ${CACHE}`);
  const updated = apt('update');
  if (updated.status !== 0) return reasonOf(updated);
  const plan = apt('--simulate', '--no-install-recommends', 'install', name);
  if (plan.status !== 0) return reasonOf(plan);
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

/** What to analyse in a folder: the entry of every package in it, or, in a folder of no packages, every source file. */
import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { InputError, systemReason } from '../errors.js';
import { packageEntry } from './resolve.js';
import { isAnalysable } from './sources.js';

export interface Entries {
  /** The folder with every symbolic link resolved and a separator at its end: how the path of each file in it begins. */
  readonly root: string;
  /** What is analysed, in an order that has nothing to do with names: neighbours by name import the same files. */
  readonly requests: readonly Request[];
  /** Source files below the folder and their bytes, whether or not a request reaches them. */
  readonly files: number;
  readonly bytes: number;
}

export interface Request {
  /** To show: the package's name, or the file's path in the folder. */
  readonly name: string;
  /** The source file to start from. */
  readonly entry: string;
}

/**
 * Walks the folder. Reading every source on the way warms the disk cache, so that the first of several timed runs does
 * not pay for a cold one.
 * @throws InputError when the folder is missing, unreadable or without a source file
 */
export function findEntries(dir: string, limit: number): Entries {
  const root = realFolder(dir);
  const sources: string[] = [];
  const manifests: string[] = [];
  let bytes = 0;
  try {
    for (const path of walk(root)) {
      if (basename(path) === 'package.json') manifests.push(path);
      if (!isAnalysable(path)) continue;
      sources.push(path);
      bytes += readFileSync(path).length;
    }
  } catch (error) {
    throw new InputError(`--dir ${dir}: ${(error as NodeJS.ErrnoException).path}: ${systemReason(error)}`);
  }
  if (sources.length === 0) throw new InputError(`--dir ${dir}: no JavaScript or TypeScript files in there`);
  const packages = packageRequests(manifests, root);
  const requests = packages.length > 0 ? packages : sources.map((entry) => ({ name: relative(root, entry), entry }));
  return { root, requests: mixed(requests).slice(0, limit), files: sources.length, bytes };
}

/** The same on every machine and in every run. */
function mixed(requests: readonly Request[]): Request[] {
  const keyed = requests.map((request) => ({ request, key: createHash('sha1').update(request.name).digest('hex') }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ request }) => request);
}

function realFolder(dir: string): string {
  try {
    const root = realpathSync(dir);
    if (statSync(root).isDirectory()) return root + sep;
  } catch (error) {
    throw new InputError(`--dir ${dir}: ${systemReason(error)}`);
  }
  throw new InputError(`--dir ${dir}: not a folder`);
}

/** Where pnpm keeps the packages that its symbolic links point to. */
const PNPM_STORE = '.pnpm';

/** Every plain file below a folder in a fixed order; other hidden names and symbolic links are passed over. */
function* walk(folder: string): Generator<string> {
  const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : 1);
  for (const item of readdirSync(folder, { withFileTypes: true }).sort(byName)) {
    if (item.name.startsWith('.') && item.name !== PNPM_STORE) continue;
    const path = join(folder, item.name);
    if (item.isDirectory()) yield* walk(path);
    else if (item.isFile()) yield path;
  }
}

/** One request for each named package whose entry is a source file below the root; two versions of one name are two. */
function packageRequests(manifests: readonly string[], root: string): Request[] {
  const requests = new Map<string, Request>();
  for (const manifest of manifests) {
    const name = packageName(manifest);
    if (name === undefined) continue;
    const entry = packageEntry(dirname(manifest), name);
    if (entry?.startsWith(root) && isAnalysable(entry)) requests.set(entry, { name, entry });
  }
  return [...requests.values()];
}

function packageName(manifest: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown };
    return typeof name === 'string' ? name : undefined;
  } catch {
    // Test data of some packages holds broken manifests: those are no packages.
    return undefined;
  }
}

import { existsSync } from 'node:fs';
import nodeModule from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SharedCacheError } from './errors.js';

/** How the URL of this file ends in the package (scripts/bundle.mjs names it so) and in a checkout, and where thread scripts are from there. */
const PLACES = [
  { file: /\/mooncake-[A-Z0-9]{8}\.js$/, scripts: './' },
  { file: /\/src\/installed\.js$/, scripts: '../lib/' },
];

const EXTERNAL =
  'A program that is bundled must keep mooncake-cache external (esbuild and rollup: external, vite: ssr.external, webpack: externals) and have it in node_modules where it runs';

let requireHere: NodeJS.Require | undefined;

/**
 * A package the library depends on, loaded by the first call that needs it: threads that do not need it start sooner, and
 * bundlers leave it alone. Throws ERR_MODULE_MISSING.
 */
export function loadPackage<T>(name: string): T {
  try {
    requireHere ??= nodeModule.createRequire(here());
    return requireHere(name) as T;
  } catch (cause) {
    throw new SharedCacheError('ERR_MODULE_MISSING', `cannot load the package ${name}. ${EXTERNAL}`, { cause });
  }
}

/** The entry script of one of the library's own threads. Throws ERR_MODULE_MISSING: a user's bundle has none. */
export function workerScript(file: string): URL {
  const url = here();
  const place = PLACES.find((each) => each.file.test(url));
  const script = place === undefined ? undefined : new URL(place.scripts + file, url);
  if (script !== undefined && existsSync(fileURLToPath(script))) return script;
  throw new SharedCacheError('ERR_MODULE_MISSING', `the thread script ${file} is not installed. ${EXTERNAL}`);
}

/** The URL of this file, or of the bundle that has its text: CommonJS bundles know it by `__filename` only. */
function here(): string {
  return import.meta.url ?? pathToFileURL(typeof __filename === 'string' ? __filename : `${process.cwd()}/`).href;
}

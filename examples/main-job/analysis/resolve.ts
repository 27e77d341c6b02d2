/** Where an import leads, by the rules of Node and bundlers: package exports, extensions, index files. */
import { dirname } from 'node:path';
import resolver from 'enhanced-resolve';

const resolve = resolver.create.sync({
  conditionNames: ['node', 'import', 'require', 'default'],
  extensions: ['.js', '.mjs', '.cjs', '.ts', '.tsx', '.jsx', '.json'],
  extensionAlias: { '.js': ['.js', '.ts', '.tsx'], '.mjs': ['.mjs', '.mts'], '.cjs': ['.cjs', '.cts'] },
  mainFields: ['module', 'main'],
});

/** The absolute path of the file that `specifier` names in `from`, or undefined when there is none. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return resolveFrom(dirname(from), specifier);
}

/** The file that importing a package loads, or undefined when it offers none (types only, a program). */
export function packageEntry(folder: string, name: string): string | undefined {
  // By its name first, because only that way `exports` counts.
  return resolveFrom(folder, name) ?? resolveFrom(folder, '.');
}

function resolveFrom(folder: string, specifier: string): string | undefined {
  try {
    const path = resolve(folder, specifier);
    // A package may map a path to `false`: nothing is loaded there.
    return path === false ? undefined : path;
  } catch {
    return undefined;
  }
}

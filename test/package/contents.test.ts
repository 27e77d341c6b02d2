/** What a user installs: the library alone, from a lock file that names no registry host. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const PAPERS = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What the package is entered by: the names it exports, and the threads it starts itself, which are found by URL. */
const { exports, bin }: { exports: Record<string, string | { default: string }>; bin: Record<string, string> } =
  JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const exported = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : entry.default.slice(2)));
const WORKERS = ['pool-task.cjs', 'sweeper.js', 'tracker.js'].map((file) => `dist/lib/${file}`);
const ENTRIES = [...exported, ...Object.values(bin), ...WORKERS];

t.test('the package holds the library, its workers and its papers', async (t) => {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
  });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  const isCode = (path: string): boolean => /\.c?js$/.test(path);
  const isTypes = (path: string): boolean => path.startsWith('dist/src/') && path.endsWith('.d.ts');
  // The dashboard's files are sent to browsers as they are.
  const isAsset = (path: string): boolean => path.startsWith('src/server/dashboard/assets/');
  t.strictSame(paths.filter((path) => !isCode(path) && !isTypes(path) && !isAsset(path)).sort(), PAPERS);
  const assets = readdirSync(`${root}src/server/dashboard/assets`);
  t.strictSame(paths.filter(isAsset).sort(), assets.map((name) => `src/server/dashboard/assets/${name}`).sort());
  t.ok(paths.includes('dist/src/index.d.ts'));

  const { reached, packages } = importsOf(ENTRIES);
  t.strictSame(
    [...reached].filter((path) => !paths.includes(path)),
    [],
    'whatever is imported is packed',
  );
  const { dependencies, peerDependencies }: { dependencies: object; peerDependencies: object } = JSON.parse(
    readFileSync(`${root}package.json`, 'utf8'),
  );
  const named = [...Object.keys(dependencies), ...Object.keys(peerDependencies)];
  t.strictSame([...packages].sort(), named.sort(), 'whatever is imported is a dependency, or an optional peer');
  const idle = paths.filter((path) => isCode(path) && !isAsset(path) && !reached.has(path));
  const holdsTypesOnly = (path: string): boolean => readFileSync(root + path, 'utf8').trim() === 'export {};';
  t.strictSame(
    idle.filter((path) => !holdsTypesOnly(path)),
    [],
    'whatever is packed is imported',
  );
});

/** All files that these import, and what they import from elsewhere. */
function importsOf(entries: readonly string[]): { reached: Set<string>; packages: Set<string> } {
  const reached = new Set(entries);
  const packages = new Set<string>();
  for (const file of reached) {
    const code = readFileSync(root + file, 'utf8');
    for (const [, name] of code.matchAll(
      /(?:\bfrom|\bimport|\bimport\(|\brequire\(|\bloadPackage\()\s*["']([^"']+)["']/g,
    )) {
      if (name.startsWith('.')) reached.add(posix.join(posix.dirname(file), name));
      else if (!name.startsWith('node:')) packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name);
    }
  }
  return { reached, packages };
}

t.test('the lock file names no registry host and every platform', async (t) => {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync(`${root}package-lock.json`, 'utf8'),
  );
  const withHost = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined);
  t.strictSame(withHost, []);
  // npm drops optional packages it could not fetch when it writes the file, and `npm ci` then refuses it.
  for (const [path, { optionalDependencies }] of Object.entries(lock.packages)) {
    for (const name of Object.keys(optionalDependencies ?? {})) {
      t.ok(lock.packages[`${path}/node_modules/${name}`] ?? lock.packages[`node_modules/${name}`], `${path}: ${name}`);
    }
  }
});

interface LockedPackage {
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

/** What a user installs: the library alone, from a lock file that names no registry host. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const root = fileURLToPath(new URL('../../../', import.meta.url));

t.test('the package holds the library, its workers and its papers', async (t) => {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
  });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  const strangers = paths.filter((path) => !/^(dist\/(src|workers)\/.*\.(js|d\.ts)|[^/]+)$/.test(path));
  t.strictSame(strangers, []);
  for (const path of ['README.md', 'LICENSE', 'CHANGELOG.md', 'dist/src/index.js', 'dist/src/index.d.ts']) {
    t.ok(paths.includes(path), path);
  }
});

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

/**
 * Runs the compiled tests on every supported line of Node and prints one row for each.
 *
 *   node scripts/test-matrix.mjs [major...] [path fragment...]      default: 20 22 24 26, all tests
 *
 * The Node binaries come from the npm packages node-<platform>-<arch>, kept in .cache/node.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAJORS = ['20', '22', '24', '26'];

const root = fileURLToPath(new URL('..', import.meta.url));
const named = process.argv.slice(2);
const fragments = named.filter((name) => !/^\d+$/.test(name));
const majors = named.length > fragments.length ? named.filter((name) => !fragments.includes(name)) : MAJORS;
const rows = [];
for (const major of majors) rows.push(await testOn(major));
console.log('');
console.table(Object.fromEntries(rows));
process.exitCode = rows.every(([, { failed }]) => failed === 0) ? 0 : 1;

/**
 * @param {string} major
 * @returns {Promise<[string, { version: string, passed: number, failed: number, seconds: number }]>}
 */
async function testOn(major) {
  const node = install(major);
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\n== Node ${version}`);
  const startedAt = Date.now();
  const child = spawn(node, ['scripts/test.mjs', ...fragments], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    process.stdout.write(chunk);
  });
  await new Promise((resolve) => child.on('close', resolve));
  const [, passed, failed] = /(\d+) passed, (\d+) failed\n$/.exec(output) ?? [undefined, '0', '1'];
  return [
    `Node ${major}`,
    { version, passed: Number(passed), failed: Number(failed), seconds: Math.round((Date.now() - startedAt) / 1000) },
  ];
}

/**
 * @param {string} major
 * @returns {string} the path of that Node's binary
 */
function install(major) {
  const prefix = `${root}.cache/node/${major}`;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  mkdirSync(prefix, { recursive: true });
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync(npm, ['install', '--prefix', prefix, ...options, `${name}@${major}`], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`cannot install Node ${major} from ${name}`);
  return `${prefix}/node_modules/${name}/bin/node${process.platform === 'win32' ? '.exe' : ''}`;
}

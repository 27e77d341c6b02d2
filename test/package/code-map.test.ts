/** The code map in ARCHITECTURE.md names every room of the house and every file in the hall of `src`. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const text = readFileSync(`${root}ARCHITECTURE.md`, 'utf8');
const [, section = ''] = /^## Code map\n(.*?)^## /ms.exec(text) ?? [];
const named = [...section.matchAll(/^\| (`[^|]+`) +\|/gm)].flatMap(([, cell]) => cell.match(/[^`, ]+/g) ?? []);
const isCode = (name: string): boolean => name.endsWith('.ts') && !name.endsWith('.d.ts');

const rooms = ['workers/', 'bench/', 'examples/', 'test/', 'scripts/'];
const sources = readdirSync(`${root}src`, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [`src/${entry.name}/`] : isCode(entry.name) ? [`src/${entry.name}`] : [],
);
t.strictSame(named.sort(), [...sources, ...rooms].sort());

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { temporaryDirectory } from '../../scripts/cleanup.js';
import type * as Engine from '../../src/index.js';

/** Seen from dist/bench/micro. The copies lie beside the original, where its packages are found. */
const DIST = fileURLToPath(new URL('../../', import.meta.url));

/** New bodies of functions and methods: by compiled file below src, then by name. */
export type Bodies = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Imports a copy of the compiled package in which some functions have another body. It is gone when the process ends. */
export async function importStripped(bodies: Bodies): Promise<typeof Engine> {
  const copy = temporaryDirectory(DIST, 'stripped-').path;
  const source = join(DIST, 'src');
  const left = new Set(Object.keys(bodies));
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js')) continue;
    const file = name.replaceAll('\\', '/');
    const text = readFileSync(join(source, name), 'utf8');
    const target = join(copy, 'src', name);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, replaceBodies(text, bodies[file] ?? {}));
    left.delete(file);
  }
  if (left.size > 0) throw new Error(`there is no ${[...left].join(', ')} in the compiled package`);
  return import(pathToFileURL(join(copy, 'src', 'index.js')).href);
}

/** Throws when a name is not that of exactly one function or method. */
export function replaceBodies(text: string, bodies: Readonly<Record<string, string>>): string {
  const file = ts.createSourceFile('x.js', text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
  const found: { start: number; end: number; name: string }[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) && node.body !== undefined) {
      const name = node.name?.getText() ?? '';
      if (Object.hasOwn(bodies, name)) found.push({ start: node.body.getStart(), end: node.body.end, name });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  for (const name of Object.keys(bodies)) {
    const count = found.filter((each) => each.name === name).length;
    if (count !== 1) throw new Error(`${count} functions are called ${name}`);
  }
  // From the end, so that the places found stay true.
  let result = text;
  for (const { start, end, name } of found.reverse())
    result = `${result.slice(0, start)}{ ${bodies[name]} }${result.slice(end)}`;
  return result;
}

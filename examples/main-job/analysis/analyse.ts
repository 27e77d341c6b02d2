/** The work worth caching: parse one source file, resolve what it imports, and measure it compressed. */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import ts from 'typescript';
import { resolveImport } from './resolve.js';
import { isAnalysable } from './sources.js';

/** What one file costs whoever imports it. */
export interface FileAnalysis {
  /** Bytes of the source, and of the source compressed alone. */
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly brotliBytes: number;
  /** Functions, methods and arrow functions, at any depth. */
  readonly functions: number;
  /** Absolute paths of the analysable files it imports, in order of appearance, without repeats. */
  readonly imports: readonly string[];
  /** Imports that lead nowhere: optional dependencies, mostly. */
  readonly unresolved: readonly string[];
}

/** Brotli's quality for a build that compresses on every commit; its best takes ten times as long. */
const BROTLI_QUALITY = 7;

export function analyseFile(path: string): FileAnalysis {
  const source = readFileSync(path);
  const { specifiers, functions } = parse(path, source.toString('utf8'));
  const imports = new Set<string>();
  const unresolved: string[] = [];
  for (const specifier of specifiers) {
    if (isBuiltin(specifier)) continue;
    const target = resolveImport(path, specifier);
    if (target === undefined) unresolved.push(specifier);
    else if (isAnalysable(target)) imports.add(target);
  }
  return {
    bytes: source.length,
    gzipBytes: gzipSync(source, { level: 9 }).length,
    brotliBytes: brotliCompressSync(source, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }).length,
    functions,
    imports: [...imports],
    unresolved,
  };
}

/** Every module a source names, by import, export, import() or require(), and how many functions it has. */
function parse(path: string, text: string): { specifiers: Set<string>; functions: number } {
  const specifiers = new Set<string>();
  let functions = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node)) functions += 1;
    else if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isCallExpression(node) && loadsModule(node)) add(node.arguments[0]);
    ts.forEachChild(node, visit);
  };
  const add = (specifier: ts.Expression | undefined): void => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) specifiers.add(specifier.text);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false));
  return { specifiers, functions };
}

function loadsModule({ expression }: ts.CallExpression): boolean {
  return (
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === 'require')
  );
}

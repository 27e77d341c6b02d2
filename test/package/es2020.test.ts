/** The declarations compile for programs that target ES2020, as far as it is their own doing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import ts from 'typescript';
import { ONLY_LONG } from '../fixtures/effort.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

t.test('a program with lib es2020 and skipLibCheck off', ONLY_LONG, async (t) => {
  const folder = mkdtempSync(join(root, 'dist', 'es2020-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'program.mts');
  writeFileSync(
    file,
    `import { SharedCache } from '../src/index.js';
const cache = new SharedCache<number>({ ttl: undefined });
const options: { ttl?: number | undefined } = {};
cache.put('key', 1, options);
export const value: number | undefined = cache.get('key');
`,
  );
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2020,
    lib: ['lib.es2020.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    types: ['node'],
  });
  const ours = ts
    .getPreEmitDiagnostics(program)
    .filter(({ file }) => file === undefined || !file.fileName.includes('node_modules'))
    .map(({ messageText, file }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  t.same(ours, []);
});

/**
 * The code blocks of the pages in the root and in docs/ do what they say. A block marked `js` or `ts` is a whole program that must run
 * and print exactly what its `// prints ...` comments promise; one marked `js file=NAME` is saved for the next to import.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import ts from 'typescript';
import { type Block, codeBlocks, promisedOutput } from './blocks.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

t.test('the quick start is two lines: one runs the main job, one passes the tests', async (t) => {
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const [first] = codeBlocks(readme.slice(readme.indexOf('\n## Quick start\n')));
  t.equal(first.code, 'npm ci && npm start\nnpm ci && npm test\n');
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> };
  t.match(scripts, { start: /^npm run build/, test: /^npm run build/ }, 'both build first');
});

for (const page of pages()) {
  const blocks = codeBlocks(readFileSync(root + page, 'utf8')).filter(({ language }) => /^(js|ts)$/.test(language));
  if (blocks.length === 0) continue;
  t.test(`code in ${page}`, async (t) => {
    // Below the package's own folder, so that `mooncake-cache` names this package.
    const dir = t.testdir({});
    for (const block of blocks) {
      const file = `${dir}/${block.file ?? `line-${block.line}.mjs`}`;
      writeFileSync(file, javascript(block));
      if (block.file !== undefined) continue;
      const { stdout, stderr } = await run(process.execPath, [file], { timeout: 60_000 });
      t.equal(stdout, promisedOutput(block.code), `${page}:${block.line}`);
      t.equal(stderr, '', `${page}:${block.line} is quiet`);
    }
  });
}

function pages(): string[] {
  const markdown = (folder: string): string[] =>
    readdirSync(root + folder).flatMap((name) => (name.endsWith('.md') ? [folder + name] : []));
  return [...markdown(''), ...markdown('docs/')];
}

function javascript({ language, code }: Block): string {
  if (language === 'js') return code;
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(code, { compilerOptions }).outputText;
}

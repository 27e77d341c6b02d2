/** Fenced code blocks of a Markdown text. */
export interface Block {
  /** The word after the fence: `js`, `ts`, `sh`... */
  readonly language: string;
  /** From `file=NAME` after the language: a module for the next blocks to import, not a program. */
  readonly file: string | undefined;
  readonly code: string;
  /** The line of the fence, from 1. */
  readonly line: number;
}

export function codeBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  const fence = /^```(\w*)(?: file=(\S+))?\n(.*?)^```$/gms;
  for (const { 1: language, 2: file, 3: code, index } of markdown.matchAll(fence)) {
    blocks.push({ language, file, code, line: markdown.slice(0, index).split('\n').length });
  }
  return blocks;
}

/** What a program promises to print, by its `// prints ...` comments in order. */
export function promisedOutput(code: string): string {
  return [...code.matchAll(/\/\/ prints (.*)$/gm)].map(([, text]) => `${text}\n`).join('');
}

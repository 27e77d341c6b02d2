/** Which files are worth analysing. Apart from the analysis, so that choosing files does not load the parser. */
import { statSync } from 'node:fs';
import { extname } from 'node:path';

const SOURCE_EXTENSIONS = new Set(['.js', '.mjs', '.cjs', '.jsx', '.ts', '.mts', '.cts', '.tsx']);
/** Larger files are whole programs in one bundle: a few of them would outweigh thousands of sources. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Whether a path names JavaScript or TypeScript of a sensible size; declaration files hold nothing that runs. */
export function isAnalysable(path: string): boolean {
  return SOURCE_EXTENSIONS.has(extname(path)) && !/\.d\.[cm]?ts$/.test(path) && statSync(path).size <= MAX_FILE_BYTES;
}

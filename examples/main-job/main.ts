/** The main job: `npm start -- --help` tells what it does. */
import { SharedCacheError } from 'mooncake-cache';
import { InputError } from './errors.js';
import { parseOptions, USAGE } from './options.js';

try {
  const options = parseOptions(process.argv.slice(2));
  // Each mode loads only what it needs: a mistake in the options is told at once.
  if (options.mode === 'help') console.log(USAGE);
  else if (options.mode === 'trace') await (await import('./trace/run.js')).runTrace(options);
  else await (await import('./analysis/run.js')).runAnalysis(options);
} catch (error) {
  if (!(error instanceof InputError || error instanceof SharedCacheError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

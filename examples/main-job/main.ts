/** The main job: `npm start -- --help` tells what it does. */
import { SharedCacheError } from 'mooncake-cache';
import { runAnalysis } from './analysis/run.js';
import { InputError } from './errors.js';
import { parseOptions, USAGE } from './options.js';
import { runTrace } from './trace/run.js';

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.mode === 'help') console.log(USAGE);
  else if (options.mode === 'trace') await runTrace(options);
  else await runAnalysis(options);
} catch (error) {
  if (!(error instanceof InputError || error instanceof SharedCacheError)) throw error;
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

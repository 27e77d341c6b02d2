/** Fetches the programs that tests and benchmarks need and tells where they are: `npm run services`. */
import { chromiumProgram } from './chromium.js';
import { serverProgram } from './redis.js';

const programs = { Redis: serverProgram('redis'), Valkey: serverProgram('valkey'), Chromium: chromiumProgram() };
for (const [name, program] of Object.entries(programs))
  console.log(`${name.padEnd(8)} ${program?.path ?? 'not to be had'}`);

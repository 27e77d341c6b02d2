import { createRequire } from 'node:module';

type Hdr = typeof import('hdr-histogram-js');

const require = createRequire(import.meta.url);

/** hdr-histogram-js, loaded when a thread first reads: those that only record start some 50 ms sooner without it. */
export const hdr = (): Hdr => require('hdr-histogram-js') as Hdr;

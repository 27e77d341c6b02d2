import { loadPackage } from '../installed.js';

type Hdr = typeof import('hdr-histogram-js');

/**
 * hdr-histogram-js, loaded when a thread first reads: those that only record start some 50 ms sooner without it. Throws
 * ERR_MODULE_MISSING.
 */
export const hdr = (): Hdr => loadPackage<Hdr>('hdr-histogram-js');

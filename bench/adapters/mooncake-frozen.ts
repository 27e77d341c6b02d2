import type { Adapter } from './adapter.js';
import { adapterOf } from './mooncake.js';

/** With frozen values: each thread decodes an object once and hands the same out until it changes. */
export const adapter: Adapter = { name: 'mooncake frozen', kinds: ['json'], ...adapterOf({ frozen: true }) };

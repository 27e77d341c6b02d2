import t from 'tap';
import { effort } from '../fixtures/effort.js';
import { testKills } from '../fixtures/kills.js';

// Deaths and escapes that may strike in the middle of a write, with the shard's lock held.
testKills(t, ['terminate', 'memory', 'stack', 'vm'], effort('KILLS', 8, 100));

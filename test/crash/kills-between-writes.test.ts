import t from 'tap';
import { effort } from '../fixtures/effort.js';
import { testKills } from '../fixtures/kills.js';

// Deaths while waiting, and in the caller's code, which never runs under a lock.
testKills(t, ['wait', 'lock', 'exit', 'throw'], effort('KILLS', 8, 100));

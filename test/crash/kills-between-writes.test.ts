import t from 'tap';
import { testKills } from '../fixtures/kills.js';

// Deaths while waiting, and in the caller's code, which never runs under a lock.
testKills(t, ['wait', 'lock', 'exit', 'throw']);

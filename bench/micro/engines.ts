import type { Bodies } from './strip.js';

/** Stores without keeping what was there before. */
const NO_JOURNAL: Bodies = {
  'memory/shard-memory.js': { set: 'this.words[word] = value;', save: '', commit: '' },
};

/** The same lock, its word still the version and still woken, but nobody's: no owner, no version kept for who takes over. */
const NO_OWNER: Bodies = {
  'sync/mutex.js': {
    tryLockWord: 'return version >= 0 && Atomics.compareExchange(words, lock, version, ~version) === version;',
    unlockWord: `
      Atomics.exchange(words, lock, nextVersion(~words[lock]));
      if (words[lock + 2] !== 0) { words[lock + 2] = 0; Atomics.notify(words, lock); }`,
  },
};

/** Only for one thread: what even a lock that survives nothing costs. */
const NO_LOCK: Bodies = {
  'sync/mutex.js': { tryLockWord: 'return true;', unlockWord: '' },
};

export const WHOLE = 'as it is';
export const BASE = 'without journal and owner';
/** The compiled engine, whole and without what lets it survive a thread's death. */
export const ENGINES: readonly { readonly name: string; readonly bodies: Bodies }[] = [
  { name: WHOLE, bodies: {} },
  { name: 'without journal', bodies: NO_JOURNAL },
  { name: 'without owner', bodies: NO_OWNER },
  { name: BASE, bodies: { ...NO_JOURNAL, ...NO_OWNER } },
  { name: 'without journal and any lock', bodies: { ...NO_JOURNAL, ...NO_LOCK } },
];

/** A program may keep a namespace and drop the cache it came from: the garbage collector must not close what is in use. */
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import type { Namespace, SharedCache } from '../../src/index.js';
import { newCache } from '../fixtures/with-cache.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Enough for a dropped cache to be collected and given back: the control below needs a few. */
const TURNS = 50;

function namespaceOf(cache: SharedCache): Namespace {
  return cache.namespace('outer').namespace('kept');
}

t.test('a namespace keeps its cache open', async (t) => {
  const kept = namespaceOf(newCache({ maxBytes: '1MB', sweep: false }));
  for (let i = 0; i < TURNS; i++) {
    collect();
    await turn();
  }
  t.equal(kept.put('k', 1), true);
  t.equal(kept.increment('n'), 1);
  t.equal(kept.get('k'), 1);
});

t.test('a cache that nobody holds is given back', async (t) => {
  const dropped = new WeakRef(newCache({ maxBytes: '1MB', sweep: false }));
  for (let i = 0; i < TURNS && dropped.deref() !== undefined; i++) {
    await turn();
    collect();
  }
  t.equal(dropped.deref(), undefined);
});

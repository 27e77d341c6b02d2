/** The suite that bentocache publishes for drivers, and bentocache itself over two stacks of one cache. */
import { BentoCache, bentostore } from 'bentocache';
import { registerCacheDriverTestSuite } from 'bentocache/test_suite';
import t from 'tap';
import { bentoDriver } from '../../src/adapters/bentocache.js';
import { asJapa } from '../fixtures/public-suite.js';
import { withCache } from '../fixtures/with-cache.js';

type Options = Parameters<typeof registerCacheDriverTestSuite>[0];

t.test('the public suite', async (t) => {
  const cache = withCache(t);
  const { test, group, run } = asJapa(t);
  registerCacheDriverTestSuite({
    test: test as Options['test'],
    group: group as Options['group'],
    supportsMilliseconds: true,
    createDriver: (config) => bentoDriver(cache).factory({ prefix: 'japa', ...config }),
  });
  await run();
});

t.test('two stacks over one cache', async (t) => {
  const cache = withCache(t);
  const open = (): BentoCache<{ main: ReturnType<typeof bentostore> }> =>
    new BentoCache({ default: 'main', stores: { main: bentostore().useL1Layer(bentoDriver(cache)) } });
  const one = open();
  const two = open();
  await one.set({ key: 'user', value: { name: 'Ann' }, tags: ['people'], ttl: '1m' });
  t.strictSame(await two.get({ key: 'user' }), { name: 'Ann' });
  const found = await two.getOrSet({ key: 'user', factory: () => t.fail('it is there') });
  t.strictSame(found, { name: 'Ann' });
  await two.deleteByTag({ tags: ['people'] });
  t.equal(await one.get({ key: 'user' }), undefined);
  await one.set({ key: 'large', value: 'x'.repeat(8_000_000) });
  t.equal(await one.get({ key: 'large' }), undefined, 'what is too large is a miss');
  await one.clear();
  t.equal(cache.size, 0);
});

t.test('clearing without a prefix clears all that was given, and no more', (t) => {
  const cache = withCache(t);
  const driver = bentoDriver(cache.namespace('bento')).factory({});
  cache.put('mine', 1);
  driver.set('a', 'b');
  t.equal(driver.getRemainingTtl('a'), Number.POSITIVE_INFINITY);
  t.equal(driver.getRemainingTtl('none'), undefined);
  driver.clear();
  t.equal(driver.get('a'), undefined);
  t.equal(cache.get('mine'), 1);
  t.end();
});

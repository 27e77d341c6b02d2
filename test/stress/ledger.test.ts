/** The stress program's judge: what it must accept, and the lies it must not. */
import t from 'tap';
import { Ledger } from '../../bench/stress/ledger.js';
import { makeValue, versionOf } from '../../bench/stress/values.js';

t.test('what can be read at a time', (t) => {
  const ledger = new Ledger(4);
  t.equal(ledger.objection(0, 0, 0, false), undefined, 'absent before the first write');
  t.match(ledger.objection(0, 0, 1, false), /last intended/);

  ledger.begin(0, false);
  t.equal(ledger.objection(0, 0, 0, false), undefined, 'a write under way may show');
  t.equal(ledger.objection(0, 0, 1, false), undefined, 'or not yet');
  ledger.acknowledge(0);
  t.equal(ledger.acknowledged(0), 1);
  t.equal(ledger.objection(0, 1, 1, false), undefined);
  t.match(ledger.objection(0, 1, 0, false), /absent/, 'lost');
  t.equal(ledger.objection(0, 1, 0, true), undefined, 'unless it may be evicted');

  ledger.begin(0, false);
  ledger.acknowledge(0);
  t.match(ledger.objection(0, 2, 1, false), /acknowledged before/, 'stale');

  ledger.begin(0, true);
  t.equal(ledger.objection(0, 2, 2, false), undefined, 'a delete under way may show');
  t.equal(ledger.objection(0, 2, 0, false), undefined, 'or not yet');
  ledger.acknowledge(0);
  t.equal(ledger.objection(0, -3, 0, false), undefined);
  t.match(ledger.objection(0, -3, 2, false), /acknowledged before/, 'risen from the dead');
  t.end();
});

t.test('a value that is not whole tells', (t) => {
  const value = makeValue(7, 3, 50);
  t.equal(versionOf(7, value), 3);
  t.equal(versionOf(8, value), undefined, 'of another key');
  t.equal(versionOf(7, value.slice(0, -1)), undefined, 'cut');
  t.equal(versionOf(7, `${value.slice(0, -1)}?`), undefined, 'mixed');
  t.equal(versionOf(7, 5), undefined);
  t.end();
});

import t from 'tap';
import { type Choices, parseOptions } from '../../bench/options.js';

const choices: Choices = {
  quick: ['str T1 get', 'str T2 95/5'],
  full: ['str T1 get', 'str T2 95/5', 'buf T4 50/50'],
  adapters: ['mooncake', 'map', 'lmdb putSync', 'lmdb batched'],
};
const parse = (...args: string[]) => parseOptions(args, choices);

t.test('by default everything usual, within a budget of well under three minutes', async (t) => {
  const options = parse();
  t.same(options.scenarios, choices.quick);
  t.same(options.adapters, choices.adapters);
  t.ok(options.complete);
  t.ok((options.budgetMs as number) <= 150_000);
  t.same(options.effort, { rounds: 5, roundMs: 200, warmupMs: 300, seed: 1 });
});

t.test('--full takes every workload and all the time it needs', async (t) => {
  t.same(parse('--full').scenarios, choices.full);
  t.equal(parse('--full').budgetMs, undefined);
  t.equal(parse('--full', '--budget', '60').budgetMs, 60_000);
});

t.test('--only chooses workloads, adapters or both, and keeps this cache', async (t) => {
  t.same(parse('--only', '95/5').scenarios, ['str T2 95/5']);
  t.same(parse('--only', '95/5').adapters, choices.adapters);
  t.same(parse('--only', 'lmdb').scenarios, choices.quick);
  t.same(parse('--only', 'lmdb').adapters, ['mooncake', 'lmdb putSync', 'lmdb batched']);
  t.same(parse('--only', 'T1,map').scenarios, ['str T1 get']);
  t.same(parse('--only', 'T1,map').adapters, ['mooncake', 'map']);
  t.notOk(parse('--only', 'map').complete);
});

t.test('what is not allowed is refused in one line that names it', async (t) => {
  const refused: readonly [readonly string[], RegExp][] = [
    [['--only', 'redis-cluster'], /--only: 'redis-cluster'/],
    [['--only', ''], /--only: ''/],
    [['--only', 'map,,T1'], /--only: ''/],
    [['--rounds', '0'], /--rounds must be a number from 1 to 1000, received '0'/],
    [['--rounds', '2.5'], /--rounds must be a whole number/],
    [['--rounds', ''], /--rounds must be a number/],
    [['--round-ms', 'fast'], /--round-ms must be a number/],
    [['--seed', '-1'], /--seed/],
    [['--budget', 'NaN'], /--budget must be a number/],
    [['--faster'], /Unknown option '--faster'/],
    [['more'], /Unexpected argument 'more'/],
    [['--rounds'], /argument missing/],
  ];
  for (const [args, message] of refused) t.throws(() => parse(...args), { message }, args.join(' '));
});

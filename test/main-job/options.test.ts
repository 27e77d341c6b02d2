/** Every mistake on the command line ends in one clear line and exit code 1. */
import t from 'tap';
import { InputError } from '../../examples/main-job/errors.js';
import { POLICIES, parseOptions } from '../../examples/main-job/options.js';
import { runJob } from './run-job.js';

t.test('good options', async (t) => {
  t.match(parseOptions([]), { mode: 'analysis', dir: /node_modules$/, limit: Number.POSITIVE_INFINITY });
  t.match(parseOptions(['--dir', 'src', '--limit', '3', '--threads', '2']), { dir: 'src', limit: 3, threads: 2 });
  t.match(parseOptions(['--trace', 'a.jsonl']), { mode: 'trace', file: 'a.jsonl', policies: POLICIES });
  t.match(parseOptions(['--trace', 'a', '--blocks', '64', '--policy', 'lru, fifo']), {
    blocks: 64,
    policies: ['lru', 'fifo'],
  });
  t.strictSame(parseOptions(['--help']), { mode: 'help' });
});

const mistakes: [args: string[], message: RegExp][] = [
  [['--unknown'], /--unknown/],
  [['stray'], /stray/],
  [['--dir'], /--dir/],
  [['--threads', '0'], /--threads takes a whole number from 1 to 64, got "0"/],
  [['--threads', 'many'], /got "many"/],
  [['--threads', '1.5'], /got "1.5"/],
  [['--limit=-1'], /--limit takes a whole number/],
  [['--blocks', '100'], /--blocks needs --trace/],
  [['--policy', 'lru'], /--policy needs --trace/],
  [['--trace', 'a', '--dir', 'b'], /--dir does not go with --trace/],
  [['--trace', 'a', '--blocks', '0'], /--blocks takes a whole number/],
  [['--trace', 'a', '--policy', 'random'], /--policy takes adaptive, .*, got "random"/],
];

t.test('mistakes', async (t) => {
  for (const [args, message] of mistakes) {
    t.throws(() => parseOptions(args), { constructor: InputError, message }, args.join(' '));
  }
});

t.test('a mistake is told in one line', async (t) => {
  const { code, stdout, stderr } = await runJob('--threads', 'many');
  t.equal(code, 1);
  t.equal(stdout, '');
  t.equal(stderr, 'error: --threads takes a whole number from 1 to 64, got "many"\n');
});

t.test('help', async (t) => {
  const { code, stdout } = await runJob('--help');
  t.equal(code, 0);
  t.match(stdout, /^Usage: npm start -- \[options\]\n/);
});

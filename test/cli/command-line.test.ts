/** What a command line means, and what is said of one that makes no sense. */
import t from 'tap';
import { parseCommandLine, wantsJson } from '../../src/cli/command-line.js';
import { COMMANDS, helpOf, wordsOf } from '../../src/cli/usage.js';

const problemOf = (name: string, ...args: string[]): string => {
  try {
    parseCommandLine(name, args);
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
};

t.test('misspelt commands and options', (t) => {
  for (const [name, meant] of [
    ['stat', 'stats'],
    ['delet', 'delete'],
    ['gte', 'get'],
    ['sreve', 'serve'],
  ])
    t.match(problemOf(name, 'p'), `unknown command "${name}": did you mean ${meant}?`);
  for (const name of ['frobnicate', '', '__proto__', 'toString', 'x'.repeat(100_000)])
    t.match(problemOf(name, 'p'), /^unknown command ".{0,40}": known are stats, top, /);
  for (const [command, option, meant] of [
    ['keys', '--limt', '--limit'],
    ['keys', '--prefx=a', '--prefix'],
    ['keys', '--namespce', '--namespace'],
    ['stats', '--jsn', '--json'],
    ['top', '--intervall', '--interval'],
    ['serve', '--htp', '--http'],
    ['serve', '--tokenfile', '--token-file'],
  ]) {
    const name = option.split('=')[0];
    t.equal(problemOf(command, 'p', option), `unknown option "${name}": did you mean ${meant}?`);
  }
  t.match(problemOf('stats', 'p', '--limit', '3'), 'unknown option "--limit": known are --codec, --json, --help');
  t.match(problemOf('stats', 'p', '--__proto__'), 'unknown option "--__proto__": known are');
  t.match(problemOf('stats', 'p', '-x'), 'unknown option "-x": known are');
  t.equal(problemOf('get', 'p', '--', '--jsn'), 'none', 'a key may look like an option');
  t.end();
});

t.test('numbers', (t) => {
  for (const [command, option, wrong, right] of [
    ['keys', 'limit', ['', ' ', 'x', '-1', '1.5', '1e3', '0x10', 'NaN', 'Infinity', '1'.repeat(20)], ['0', '7', '007']],
    ['top', 'count', ['', 'x', '0', '-1', '1.5', 'Infinity'], ['1', '1000000']],
    ['top', 'interval', ['', 'x', '0', '0.04', '-1', '86401', '1s', 'Infinity'], ['0.05', '1', '2.5', '86400']],
  ] as const) {
    for (const text of wrong) {
      const problem = problemOf(command, 'p', `--${option}=${text}`);
      t.match(problem, new RegExp(`^--${option} must be a (whole )?number from [\\d.]+ to \\d+, received "`), text);
    }
    for (const text of right)
      t.equal(parseCommandLine(command, ['p', `--${option}`, text]).number(option, -1), Number(text));
    t.equal(parseCommandLine(command, ['p']).number(option, -1), -1, 'the fallback');
  }
  t.end();
});

t.test('words', (t) => {
  for (const [name, usage] of Object.entries(COMMANDS)) {
    const enough = usage.words.map(String);
    t.equal(problemOf(name, ...enough), 'none');
    t.match(problemOf(name, ...enough, 'one', 'more'), `${name} takes ${wordsOf(usage).join(' ')}, received`);
    if (enough.length > 0) t.match(problemOf(name, ...enough.slice(1)), `${name} takes`);
    t.equal(parseCommandLine(name, ['--help']).isHelp, true, 'help needs no words');
    t.equal(parseCommandLine(name, [...enough, '--json']).isJson, true);
    for (const option of ['json', 'help', ...Object.keys(usage.options ?? {})]) t.match(helpOf(name), `--${option}`);
    for (const example of usage.examples) {
      const [command, ...args] = example.split(' ');
      t.equal(problemOf(command, ...args), 'none', example);
    }
  }
  const call = parseCommandLine('keys', ['p', '--namespace', 'a', '--namespace', 'b', '--all']);
  t.strictSame([call.texts('namespace'), call.has('all'), call.text('prefix')], [['a', 'b'], true, undefined]);
  t.strictSame([wantsJson(['x', '--json']), wantsJson(['get', 'p', '--', '--json'])], [true, false]);
  t.end();
});

import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Instruction, type Machine, type Outcome, outcomesOf, type Program } from '../fixtures/litmus/model.js';
import {
  atomicLoad,
  atomicStore,
  DEAD,
  exchange,
  HELD,
  instructionsOf,
  load,
  NEXT,
  reader,
  type StepName,
  store,
  thief,
  writer,
} from '../fixtures/litmus/programs.js';

/**
 * The accesses by which the lock and the optimistic reader are ordered, run in a model of ARMv8 (with and without its
 * single-instruction atomics) and of x86: all outcomes are enumerated, the forbidden ones must not be among them, and must
 * be as soon as a fence is left out. The model is of the processors and of the instructions that V8 chooses: JavaScript's
 * own memory model promises nothing about a reader that races with plain stores.
 */
const ARM: readonly Machine[] = ['arm', 'arm-lse'];
const ALL: readonly Machine[] = [...ARM, 'x64'];

type Changes = Readonly<Partial<Record<StepName, readonly Instruction[]>>>;

function some(
  program: Program,
  machine: Machine,
  is: (outcome: Outcome) => boolean,
  memory: Readonly<Record<string, number>> = {},
): boolean {
  for (const outcome of outcomesOf(program, machine, memory)) if (is(outcome)) return true;
  return false;
}

/** The model against verdicts that are common knowledge. */
const classics: { name: string; program: Program; is: (o: Outcome) => boolean; allowed: readonly Machine[] }[] = [
  {
    name: 'message passing, plain',
    program: [
      [store('x', 1), store('f', 1)],
      [load('f', 'a'), load('x', 'b')],
    ],
    is: ({ a, b }) => a === 1 && b === 0,
    allowed: ARM,
  },
  {
    name: 'message passing, release and acquire',
    program: [
      [store('x', 1), atomicStore('f', 1)],
      [atomicLoad('f', 'a'), load('x', 'b')],
    ],
    is: ({ a, b }) => a === 1 && b === 0,
    allowed: [],
  },
  {
    name: 'store buffering, plain',
    program: [
      [store('x', 1), load('y', 'a')],
      [store('y', 1), load('x', 'b')],
    ],
    is: ({ a, b }) => a === 0 && b === 0,
    allowed: ALL,
  },
  {
    name: 'store buffering, atomic',
    program: [
      [atomicStore('x', 1), atomicLoad('y', 'a')],
      [atomicStore('y', 1), atomicLoad('x', 'b')],
    ],
    is: ({ a, b }) => a === 0 && b === 0,
    allowed: [],
  },
  {
    name: 'load buffering, plain',
    program: [
      [load('x', 'a'), store('y', 1)],
      [load('y', 'b'), store('x', 1)],
    ],
    is: ({ a, b }) => a === 1 && b === 1,
    allowed: ARM,
  },
  {
    name: 'two loads of one word',
    program: [[store('x', 1)], [load('x', 'a'), load('x', 'b')]],
    is: ({ a, b }) => a === 1 && b === 0,
    allowed: [],
  },
  {
    name: 'independent readers of independent writers, acquire',
    program: [
      [store('x', 1)],
      [store('y', 1)],
      [atomicLoad('x', 'a'), atomicLoad('y', 'b')],
      [atomicLoad('y', 'c'), atomicLoad('x', 'd')],
    ],
    is: ({ a, b, c, d }) => a === 1 && b === 0 && c === 1 && d === 0,
    allowed: [],
  },
  {
    name: 'a plain store after a compare-and-swap is seen before it',
    program: [
      [...exchange('l', 1, 'o', 0), store('x', 1)],
      [atomicLoad('x', 'a'), atomicLoad('l', 'b')],
    ],
    is: ({ a, b }) => a === 1 && b === 0,
    allowed: ['arm'],
  },
  {
    name: 'two exchanges of one word both find it free',
    program: [exchange('l', 1, 'a', 0), exchange('l', 2, 'b', 0)],
    is: () => true,
    allowed: [],
  },
];

t.test('the model gives the known verdicts', async (t) => {
  for (const { name, program, is, allowed } of classics)
    for (const machine of ALL) t.equal(some(program, machine, is), allowed.includes(machine), `${name}, ${machine}`);
});

/** What must never be: threads, how the outcome looks, and what has to be left out for it to be. */
interface Forbidden {
  name: string;
  program: (changes: Changes) => Program;
  is: (outcome: Outcome) => boolean;
  /** Changes that let it be, and the machines on which they do. */
  without: { what: string; changes: Changes; on: readonly Machine[] }[];
}

const withReader = (changes: Changes): Program => [instructionsOf(writer, changes), instructionsOf(reader, changes)];
const withObserver =
  (...observer: Instruction[]) =>
  (changes: Changes): Program => [instructionsOf(writer, changes), observer];

const forbidden: Forbidden[] = [
  {
    name: 'a reader believes a torn read, or one that is not of the version it saw',
    program: withReader,
    is: (o) => {
      const expected = o['r.first'] === NEXT ? 1 : 0;
      const isBelieved = o['r.first'] >= 0 && o['r.first'] === o['r.second'];
      return isBelieved && !(o['r.count'] === expected && o['r.x'] === expected && o['r.y'] === expected);
    },
    without: [
      { what: 'the read fence', changes: { 'read fence': [] }, on: ARM },
      { what: 'the fence after taking the lock', changes: { 'fence after taking': [] }, on: ['arm'] },
      { what: 'an atomic first look', changes: { 'first look': [load('lock', 'r.first')] }, on: ARM },
      { what: 'an atomic second look', changes: { 'second look': [load('lock', 'r.second')] }, on: ARM },
      {
        what: 'an atomic exchange at the end',
        changes: { 'give the lock back': [load('version', 'w.next'), store('lock', 'w.next')] },
        on: ARM,
      },
      {
        what: 'a second look',
        changes: { 'second look': [store('own', 'r.first'), load('own', 'r.second')] },
        on: ALL,
      },
    ],
  },
  {
    name: 'data is seen to change while the lock is seen free and unchanged',
    program: withObserver(atomicLoad('x', 'o.x'), atomicLoad('lock', 'o.lock')),
    is: (o) => o['o.x'] === 1 && o['o.lock'] === 0,
    without: [{ what: 'the fence after taking the lock', changes: { 'fence after taking': [] }, on: ['arm'] }],
  },
  {
    name: 'the lock is seen given back and the data is not there',
    program: withObserver(atomicLoad('lock', 'o.lock'), load('y', 'o.y')),
    is: (o) => o['o.lock'] === NEXT && o['o.y'] === 0,
    without: [
      {
        what: 'an atomic exchange at the end',
        changes: { 'give the lock back': [load('version', 'w.next'), store('lock', 'w.next')] },
        on: ARM,
      },
    ],
  },
  {
    name: 'the next owner does not find what the one before it stored',
    program: withObserver(...exchange('lock', -2, 'o.seen', NEXT), atomicLoad('lock', 'o.own'), load('x', 'o.x')),
    is: (o) => o['o.x'] === 0,
    without: [
      {
        what: 'an atomic exchange at the end',
        changes: { 'give the lock back': [load('version', 'w.next'), store('lock', 'w.next')] },
        on: ARM,
      },
    ],
  },
  {
    name: 'a change that ended before a get began is not in the count that a near value is proved by',
    program: (changes) => [
      [...instructionsOf(writer, changes), atomicStore('told', 1)],
      [atomicLoad('told', 'o.told'), load('count', 'o.count')],
    ],
    is: (o) => o['o.told'] === 1 && o['o.count'] === 0,
    without: [
      {
        what: 'the count',
        changes: { 'count the change': [] },
        on: ALL,
      },
    ],
  },
];

for (const { name, program, is, without } of forbidden) {
  t.test(`never: ${name}`, async (t) => {
    for (const machine of ALL) {
      const outcomes = [...outcomesOf(program({}), machine)];
      t.comment(`${machine}: ${outcomes.length} outcomes`);
      t.ok(outcomes.length > 0);
      t.notOk(outcomes.some(is), machine);
    }
    for (const { what, changes, on } of without)
      for (const machine of ALL)
        t.equal(some(program(changes), machine, is), on.includes(machine), `without ${what}, ${machine}`);
  });
}

t.test('on x86 the reader needs no fence', async (t) => {
  const torn = forbidden[0] as Forbidden;
  t.notOk(some(torn.program({ 'read fence': [] }), 'x64', torn.is));
});

t.test('a wake-up can be lost, which is why every wait is timed', async (t) => {
  const waiter = [atomicStore('waiters', 1), atomicLoad('lock', 's.lock')];
  const isLost = (o: Outcome): boolean => o['w.waiters'] === 0 && o['s.lock'] === HELD;
  t.ok(some([instructionsOf(writer), waiter], 'arm', isLost));
});

t.test('a thief needs no fence after its compare-and-swap', async (t) => {
  const torn = forbidden[0] as Forbidden;
  for (const machine of ALL) {
    const program = [thief, instructionsOf(reader)];
    t.notOk(some(program, machine, torn.is, { lock: DEAD }), machine);
    t.ok(
      some(program, machine, (o) => o['r.first'] === NEXT && o['r.x'] === 1, { lock: DEAD }),
      'it can be read',
    );
  }
});

t.test('the steps are in the compiled engine, in this order', async (t) => {
  const textOf = (file: string): string => readFileSync(new URL(`../../src/${file}`, import.meta.url), 'utf8');
  const ends = new Map<string, number>();
  for (const { in: file, code } of [...Object.values(writer), ...Object.values(reader)]) {
    const at = textOf(file).indexOf(code, ends.get(file) ?? 0);
    t.not(at, -1, `${file}: ${code}`);
    ends.set(file, at + code.length);
  }
  t.match(textOf('sync/seqlock.js'), 'Atomics.store(ownLine, 0, 0);');
});

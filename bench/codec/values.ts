/** What is encoded and decoded for time: sets of alike values, so that nothing is measured on one single object. */
const COUNT = 64;

export interface ValueSet {
  readonly name: string;
  readonly values: readonly unknown[];
}

const set = (name: string, make: (i: number) => unknown): ValueSet => ({
  name,
  values: Array.from({ length: COUNT }, (_, i) => make(i)),
});

const user = (i: number): object => ({
  id: i * 1000 + 7,
  name: `User number ${i}`,
  email: `user${i}@example.org`,
  tags: ['admin', 'staff', `team-${i & 7}`],
});

export const VALUE_SETS: readonly ValueSet[] = [
  set('small object', user),
  set('20 small objects', (i) => ({ page: i, items: Array.from({ length: 20 }, (_, j) => user(i + j)) })),
  set('100 numbers', (i) => Array.from({ length: 100 }, (_, j) => (j & 1 ? j * i : j / (i + 3)))),
  set('accented and CJK text', (i) => ({ id: i, title: 'Ünïcödé', body: '漢字とかな '.repeat(4) })),
  set('Map of Dates', (i) => new Map([1, 2, 3].map((j) => [`key${j}`, new Date(i * j * 1e9)]))),
];

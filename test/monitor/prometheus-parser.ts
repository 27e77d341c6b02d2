/** Samples of a text exposition, by name and labels. */
export type Samples = Map<string, number>;

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\n"])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`);
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`);
const TYPES = ['counter', 'gauge', 'histogram'];

/**
 * Text format 0.0.4, strictly: HELP then TYPE once a family, families in one piece, no sample twice, counters named _total
 * and not negative, histogram buckets ascending, cumulative, ending in +Inf equal to _count. Throws what is wrong.
 */
export function parsePrometheus(text: string): Samples {
  const fail = (line: string, why: string): never => {
    throw new Error(`${why}: ${line}`);
  };
  if (!text.endsWith('\n') || text.endsWith('\n\n')) throw new Error('must end in one line feed');
  const samples: Samples = new Map();
  const helped = new Set<string>();
  const types = new Map<string, string>();
  const buckets = new Map<string, { bound: number; value: number }>();
  let current = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = COMMENT.exec(line);
    if (comment !== null) {
      const [, kind, name, rest] = comment;
      if (kind === 'HELP') {
        if (helped.has(name)) fail(line, 'HELP twice');
        helped.add(name);
      } else {
        if (!helped.has(name) || types.has(name)) fail(line, 'TYPE without HELP, or twice');
        if (!TYPES.includes(rest)) fail(line, 'unknown type');
        types.set(name, rest);
        current = name;
      }
      continue;
    }
    const sample = SAMPLE.exec(line) ?? fail(line, 'not a sample');
    const [, name, labels = '', number] = sample as RegExpExecArray;
    const type = types.get(current);
    const suffix = name.slice(current.length);
    if (!name.startsWith(current)) fail(line, 'sample outside its family');
    if (type === 'histogram' ? !['_bucket', '_sum', '_count'].includes(suffix) : suffix !== '')
      fail(line, 'wrong name');
    const value = Number(number);
    if (Number.isNaN(value)) fail(line, 'not a number');
    if (type === 'counter' && (!name.endsWith('_total') || value < 0)) fail(line, 'not a counter');
    const key = `${name}{${labels}}`;
    if (samples.has(key)) fail(line, 'sample twice');
    samples.set(key, value);
    if (suffix === '_bucket') checkBucket(line, labels, value);
    if (suffix === '_count' && buckets.get(labels)?.value !== value) fail(line, '_count differs from the +Inf bucket');
    if (suffix === '_count' && buckets.get(labels)?.bound !== Number.POSITIVE_INFINITY) fail(line, 'no +Inf bucket');
  }
  return samples;

  function checkBucket(line: string, labels: string, value: number): void {
    const le = /^le="([^"]+)",(.*)$/.exec(labels) ?? fail(line, 'a bucket without le');
    const [, text, series] = le as RegExpExecArray;
    const bound = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
    const before = buckets.get(series) ?? { bound: Number.NEGATIVE_INFINITY, value: 0 };
    if (!(bound > before.bound)) fail(line, 'bounds must ascend');
    if (value < before.value) fail(line, 'buckets must be cumulative');
    buckets.set(series, { bound, value });
  }
}

/** Patterns of SCAN: `*`, `?`, `[a-c]`, `[^a]`, and `\` before a letter that means itself. */
type Part = '*' | '?' | { readonly not: boolean; readonly ranges: readonly (readonly [string, string])[] };

/** A test of keys. It goes back to the last `*` alone, so a key costs at most its length times the pattern's. */
export function globOf(pattern: string): (key: string) => boolean {
  const parts = partsOf([...pattern]);
  return (key) => {
    const letters = [...key];
    let part = 0;
    let star = -1;
    let starAt = 0;
    for (let at = 0; at < letters.length; ) {
      if (parts[part] === '*') {
        star = part++;
        starAt = at;
      } else if (part < parts.length && fits(parts[part], letters[at])) {
        part++;
        at++;
      } else if (star >= 0) {
        part = star + 1;
        at = ++starAt;
      } else {
        return false;
      }
    }
    while (parts[part] === '*') part++;
    return part === parts.length;
  };
}

function fits(part: Part, letter: string): boolean {
  if (typeof part === 'string') return true;
  return part.ranges.some(([from, to]) => from <= letter && letter <= to) !== part.not;
}

function partsOf(pattern: readonly string[]): Part[] {
  const parts: Part[] = [];
  let at = 0;
  const literal = (): string => {
    if (pattern[at] === '\\' && at + 1 < pattern.length) at++;
    return pattern[at++];
  };
  while (at < pattern.length) {
    const letter = pattern[at];
    if (letter === '*' || letter === '?') {
      at++;
      if (letter === '?' || parts.at(-1) !== '*') parts.push(letter);
      continue;
    }
    if (letter !== '[') {
      const itself = literal();
      parts.push({ not: false, ranges: [[itself, itself]] });
      continue;
    }
    at++;
    const not = pattern[at] === '^';
    if (not) at++;
    const ranges: [string, string][] = [];
    while (at < pattern.length && pattern[at] !== ']') {
      const from = literal();
      const isRange = pattern[at] === '-' && at + 1 < pattern.length && pattern[at + 1] !== ']';
      if (isRange) at++;
      const to = isRange ? literal() : from;
      ranges.push(from <= to ? [from, to] : [to, from]);
    }
    at++;
    parts.push({ not, ranges });
  }
  return parts;
}

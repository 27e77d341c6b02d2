/** Letters to change after which a word is another one, and not a misspelt one. */
const MAX_DISTANCE = 2;
/** A longer word is no misspelt one. */
const MAX_LETTERS = 40;

/** What to say of a word that is not known: the one that was meant, or all that there are. */
export function hintFor(word: string, known: readonly string[]): string {
  const [nearest] = known
    .map((name) => ({ name, letters: distance(word.slice(0, MAX_LETTERS), name) }))
    .sort((a, b) => a.letters - b.letters);
  return nearest.letters <= Math.min(MAX_DISTANCE, nearest.name.length - 1)
    ? `did you mean ${nearest.name}?`
    : `known are ${known.join(', ')}`;
}

/** Letters to add, drop or change (Levenshtein's, by rows). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}

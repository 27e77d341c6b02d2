/** The beginning of a word and what is quoted behind it, up to the next word. A quote ends a word. */
const WORD = /([^ \t\v\f\r"']*)(?:"((?:\\.|[^"\\])*)"|'((?:\\'|\\(?!')|[^'\\])*)')?(?:[ \t\v\f\r]+|$)/sy;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['b', '\b'],
  ['a', '\x07'],
]);

/**
 * The words of an inline command, as Redis reads them: spaces may stand between quotes, `\'` between single ones, `\x41`, `\n`
 * and the like between double ones. undefined when a quote has no end, or something right behind it.
 */
export function wordsOf(line: string): string[] | undefined {
  const text = line.replace(/^[ \t\v\f\r]+/, '');
  const words: string[] = [];
  for (WORD.lastIndex = 0; WORD.lastIndex < text.length; ) {
    const match = WORD.exec(text);
    if (match === null) return undefined;
    const [, plain, double = '', single = ''] = match;
    words.push(plain + unescaped(double) + single.replaceAll("\\'", "'"));
  }
  return words;
}

function unescaped(text: string): string {
  return text.replace(/\\(?:x([\da-fA-F]{2})|(.))/gs, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES.get(letter) ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** How the command tells what it found: on stdout, for a person or as JSON. */

export const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Facts, each on a line of its own, or all as one JSON object. */
export function report(facts: object, isJson: boolean): void {
  if (isJson) print(JSON.stringify(facts));
  else
    for (const [name, fact] of Object.entries(facts))
      print(`${name}: ${typeof fact === 'object' ? JSON.stringify(fact) : fact}`);
}

/** A name of the user's on one line: quoted as in JSON if it has a line's end in it, or what a terminal would obey. */
export function onOneLine(name: string): string {
  if (!/\p{Cc}/u.test(name)) return name;
  // JSON has no need to escape U+007F to U+009F, of which terminals obey some.
  return JSON.stringify(name).replaceAll(/\p{Cc}/gu, (control) => `\\u00${control.charCodeAt(0).toString(16)}`);
}

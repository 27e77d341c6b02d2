/** How the command tells what it found: on stdout, for a person or as JSON. */

export const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Facts, each on a line of its own, or all as one JSON object. */
export function report(facts: object, isJson: boolean): void {
  if (isJson) print(JSON.stringify(facts));
  else
    for (const [name, fact] of Object.entries(facts))
      print(`${name}: ${typeof fact === 'object' ? JSON.stringify(fact) : fact}`);
}

/** A name of the user's on one line: quoted if it has a line's end in it, or what a terminal would obey. */
export const onOneLine = (name: string): string => (/\p{Cc}/u.test(name) ? JSON.stringify(name) : name);

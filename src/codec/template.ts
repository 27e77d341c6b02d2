/**
 * A small tree of plain objects and arrays that copies are made of, one for each reader: a copy is a few native calls, where
 * decoding reads every value word by word.
 *
 * A copy has what the tree has, and nothing of what objects inherit: spreading defines properties, and what is stored
 * afterwards is there already.
 */
export class Template {
  readonly #source: Tree;
  /** What is copied in its turn; undefined when nothing is. */
  readonly #nested: readonly Nested[] | undefined;

  private constructor(source: Tree, nested: readonly Nested[] | undefined) {
    this.#source = source;
    this.#nested = nested;
  }

  /**
   * Of a value that holds primitives, plain objects and arrays, each object in one place. It is copied here too, since its owner
   * may change it. Undefined where it holds an array with holes or names.
   */
  static of(tree: object): Template | undefined {
    const source = tree as Tree;
    const names = Object.keys(source);
    if (Array.isArray(source) && !areIndexes(names, source.length)) return undefined;
    let nested: Nested[] | undefined;
    for (const name of names) {
      const value = (source as Record<string, unknown>)[name];
      if (typeof value !== 'object' || value === null) continue;
      const template = Template.of(value);
      if (template === undefined) return undefined;
      nested ??= [];
      nested.push({ name, template });
    }
    return new Template(copyOf(source), nested);
  }

  /** As the tree was, and the caller's own. */
  copy(): object {
    const copy = copyOf(this.#source) as Record<string, unknown>;
    const nested = this.#nested;
    if (nested === undefined) return copy;
    for (let i = 0; i < nested.length; i++) {
      const { name, template } = nested[i];
      copy[name] = template.copy();
    }
    return copy;
  }
}

type Tree = Record<string, unknown> | unknown[];

interface Nested {
  /** Where it is. */
  readonly name: string;
  readonly template: Template;
}

function copyOf(tree: Tree): Tree {
  return Array.isArray(tree) ? tree.slice() : { ...tree };
}

/** Whether an array of that length has these names and no others: indexes come first, in their order. */
function areIndexes(names: readonly string[], length: number): boolean {
  return names.length === length && (length === 0 || names[length - 1] === `${length - 1}`);
}

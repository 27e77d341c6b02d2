/**
 * Copies of small trees of plain objects and arrays: a copy is a native call for each object, where decoding reads every value
 * word by word.
 *
 * A copy has what the tree has, and nothing of what objects inherit: spreading defines properties, and what is stored
 * afterwards is there already.
 */

/** Which parts of a tree are objects themselves: trees of one shape share it. */
export interface TreeShape {
  readonly isArray: boolean;
  readonly nested: readonly { readonly name: string; readonly shape: TreeShape }[];
}

type Tree = Record<string, unknown> | unknown[];

/** Shapes kept; programs with more pay for making them again. */
const CAPACITY = 256;
const shapes = new Map<string, TreeShape>();

/**
 * The shape of a value that holds primitives, plain objects and arrays, each object in one place. Undefined where it holds an
 * array with holes or names.
 */
export function shapeOfTree(tree: object): TreeShape | undefined {
  const text = describeTree(tree as Tree);
  if (text === undefined) return undefined;
  const known = shapes.get(text);
  if (known !== undefined) return known;
  if (shapes.size >= CAPACITY) shapes.clear();
  const shape = makeShape(tree as Tree);
  shapes.set(text, shape);
  return shape;
}

/** A tree of that shape as it is, and the caller's own. */
export function copyTree(tree: object, { isArray, nested }: TreeShape): object {
  const copy = (isArray ? (tree as unknown[]).slice() : { ...tree }) as Record<string, object>;
  for (let i = 0; i < nested.length; i++) {
    const { name, shape } = nested[i];
    copy[name] = copyTree(copy[name], shape);
  }
  return copy;
}

/** The same text for trees of the same shape, and for no others. */
function describeTree(tree: Tree): string | undefined {
  const names = Object.keys(tree);
  const isArray = Array.isArray(tree);
  if (isArray && !areIndexes(names, tree.length)) return undefined;
  let text = isArray ? '[' : '{';
  for (const name of names) {
    const value = (tree as Record<string, unknown>)[name];
    if (typeof value !== 'object' || value === null) continue;
    const inner = describeTree(value as Tree);
    if (inner === undefined) return undefined;
    text += `${name.length}:${name}${inner}`;
  }
  return `${text}}`;
}

function makeShape(tree: Tree): TreeShape {
  const nested = Object.entries(tree).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null ? [{ name, shape: makeShape(value as Tree) }] : [],
  );
  return { isArray: Array.isArray(tree), nested };
}

/** Whether an array of that length has these names and no others: indexes come first, in their order. */
function areIndexes(names: readonly string[], length: number): boolean {
  return names.length === length && (length === 0 || names[length - 1] === `${length - 1}`);
}

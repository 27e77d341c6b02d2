/**
 * The names of things at the remote, all under the fleet's prefix P:
 *
 *   entry of the cache itself           P key
 *   entry whose key is no plain text    P \0 e \0 key, escaped
 *   entry of a namespace                P \0 e path \0 key, escaped
 *   generation of a tag                 P \0 g path \0 tag, escaped
 *   generation of a whole keyspace      P \0 a path \0
 *   news that a load came to nothing    P \0 f remote key of the entry, behind P
 *   nothing: what is asked for only to see whether somebody answers   P \0 c
 *
 * `path` is the names of the namespaces, each as `length:name`. Plain text is well-formed, without braces and with no \0 at
 * its beginning, so no user's key is taken for anything else. A lease is a key outside of the prefix, so that nobody is told
 * of it, in the slot of its entry: no name has braces but those of the prefix.
 */
export type RemoteName =
  | { readonly kind: 'entry'; readonly path: readonly string[]; readonly key: string }
  | { readonly kind: 'tag'; readonly path: readonly string[]; readonly tag: string }
  | { readonly kind: 'all'; readonly path: readonly string[] }
  | { readonly kind: 'freed'; readonly entry: string };

export class RemoteKeys {
  readonly prefix: string;
  readonly #slotTag: string | undefined;
  readonly #leaseMark: string;

  constructor(prefix: string) {
    this.prefix = prefix;
    this.#slotTag = /\{([^{}]+)\}/.exec(prefix)?.[1];
    this.#leaseMark = prefix.startsWith('~') ? '!lease:' : '~lease:';
  }

  entry(path: readonly string[], key: string): string {
    if (path.length === 0 && isPlain(key)) return this.prefix + key;
    return `${this.prefix}\0e${pathText(path)}\0${escaped(key)}`;
  }

  tag(path: readonly string[], tag: string): string {
    return `${this.prefix}\0g${pathText(path)}\0${escaped(tag)}`;
  }

  all(path: readonly string[]): string {
    return `${this.prefix}\0a${pathText(path)}\0`;
  }

  freed(entry: string): string {
    return `${this.prefix}\0f${entry.slice(this.prefix.length)}`;
  }

  lease(entry: string): string {
    return `${this.#leaseMark}{${this.#slotTag ?? entry}}${this.#slotTag === undefined ? '' : entry}`;
  }

  /** Whether one node of a cluster has all of them. */
  get areInOneSlot(): boolean {
    return this.#slotTag !== undefined;
  }

  /** Nobody writes it. */
  get nothing(): string {
    return `${this.prefix}\0c`;
  }

  /** What the key names; undefined for one that is not of this layout. */
  parse(remoteKey: string): RemoteName | undefined {
    if (!remoteKey.startsWith(this.prefix)) return undefined;
    const rest = remoteKey.slice(this.prefix.length);
    if (rest[0] !== '\0') return { kind: 'entry', path: [], key: rest };
    if (rest[1] === 'f') return { kind: 'freed', entry: this.prefix + rest.slice(2) };
    const end = rest.indexOf('\0', 2);
    const path = end < 0 ? undefined : parsePath(rest.slice(2, end));
    if (path === undefined) return undefined;
    const text = unescaped(rest.slice(end + 1));
    if (rest[1] === 'e') return { kind: 'entry', path, key: text };
    if (rest[1] === 'g') return { kind: 'tag', path, tag: text };
    return rest[1] === 'a' ? { kind: 'all', path } : undefined;
  }
}

function isPlain(key: string): boolean {
  return !/^\0|[{}]/.test(key) && key.isWellFormed();
}

/** Without braces, `%`, \0 and single halves of surrogate pairs, each of which becomes `%` and four hex digits. */
function escaped(text: string): string {
  return text.replace(
    /[{}%\0]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (c) => `%${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function unescaped(text: string): string {
  return text.replace(/%([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

function pathText(path: readonly string[]): string {
  return path
    .map(escaped)
    .map((name) => `${name.length}:${name}`)
    .join('');
}

function parsePath(text: string): string[] | undefined {
  const path: string[] = [];
  for (let at = 0; at < text.length; ) {
    const colon = text.indexOf(':', at);
    const length = Number(text.slice(at, colon));
    if (colon < 0 || !Number.isInteger(length) || colon + 1 + length > text.length) return undefined;
    path.push(unescaped(text.slice(colon + 1, colon + 1 + length)));
    at = colon + 1 + length;
  }
  return path;
}

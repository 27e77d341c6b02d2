import type { IncomingHttpHeaders } from 'node:http';
import type { Duration, Keyspace, Namespace, SharedCache } from '../../index.js';
import type { Exchange } from './exchange.js';
import { badRequest } from './problem.js';

/** Throws 400 for a parameter that is not known: a misspelt one would otherwise be a silent default. */
export function checkQuery({ target }: Exchange, known: readonly string[]): void {
  for (const name of target.query.keys())
    if (!known.includes(name))
      throw badRequest(
        `unknown parameter ${JSON.stringify(name.slice(0, 40))}: known are ${known.length === 0 ? 'none' : known.join(', ')}`,
      );
}

/** `?ttl=`: a number of ms, Infinity, or a string such as 5m, which the cache reads itself. */
export function ttlOf({ target }: Exchange): Duration | undefined {
  const [ttl, ...more] = target.query.getAll('ttl');
  if (more.length > 0) throw badRequest('ttl must be given once');
  return ttl !== undefined && /^(\d+(\.\d+)?|Infinity)$/.test(ttl) ? Number(ttl) : ttl;
}

/** The names that lead to the keyspace: of the header X-Cache-Namespace or of `?namespace=`, the outermost first. */
export function namespacesOf({ request, target }: Exchange): readonly string[] {
  const inHeader = listOf(request.headers, 'x-cache-namespace');
  const inQuery = target.query.getAll('namespace');
  if (inHeader === undefined) return inQuery;
  if (inQuery.length > 0) throw badRequest('the namespace must be given once, as header or as parameter');
  if (inHeader.length === 0) throw badRequest('X-Cache-Namespace must have a name');
  return inHeader;
}

export function keyspaceOf(cache: SharedCache<unknown>, names: readonly string[]): Keyspace<unknown> {
  return names.reduce<SharedCache<unknown> | Namespace<unknown>>((outer, name) => outer.namespace(name), cache);
}

/** The names of X-Cache-Tags. */
export function tagsOf({ request }: Exchange): readonly string[] | undefined {
  return listOf(request.headers, 'x-cache-tags');
}

/** Names as one header: percent-encoded, so that a comma or a letter that no header can carry may be in them. */
export const listText = (names: readonly string[]): string =>
  names.map((name) => encodeURIComponent(name.toWellFormed())).join(', ');

/** A header that lists percent-encoded names; undefined when it is absent. */
function listOf(headers: IncomingHttpHeaders, name: string): readonly string[] | undefined {
  const text = headers[name];
  if (typeof text !== 'string') return undefined;
  const names = text.split(',').map((each) => each.trim());
  return names.filter((each) => each !== '').map((each) => decoded(each, name));
}

/** Throws 400 for what is no percent-encoded UTF-8. */
export function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest(`${what} must be percent-encoded UTF-8`);
  }
}

import type { Keyspace } from '../../index.js';
import { answer, answerEmpty } from './answer.js';
import { readBody, tooLarge } from './body.js';
import { type Conditions, conditionsOf, etagOf, evaluate, isConditional, preconditionFailed } from './conditions.js';
import type { Exchange } from './exchange.js';
import { checkQuery, keyspaceOf, listText, namespacesOf, tagsOf, ttlOf } from './parameters.js';
import { badRequest, Problem, unavailable } from './problem.js';
import { representationOf } from './representation.js';

/** GET and HEAD. A GET counts as an access of the entry, a HEAD does not. */
export function getKey(exchange: Exchange, key: string): void {
  checkQuery(exchange, ['namespace']);
  const { request, served } = exchange;
  const keyspace = keyspaceOf(served.cache, namespacesOf(exchange));
  const conditions = conditionsOf(request.headers);
  if (request.method === 'GET') keyspace.get(key);
  const entry = keyspace.entry(key);
  if (entry === undefined) throw notFound();
  const verdict = evaluate(conditions, entry.version);
  if (verdict === 'changed') throw preconditionFailed();
  const headers = {
    etag: etagOf(entry.version),
    ...(entry.tags.length > 0 ? { 'x-cache-tags': listText(entry.tags) } : {}),
  };
  if (verdict === 'same') {
    answerEmpty(exchange, 304, headers);
    return;
  }
  const { contentType, octets } = representationOf(entry.value);
  answer(exchange, 200, contentType, octets, headers);
}

/** PUT: 201 for a new entry, 204 for one that was replaced. What is refused changes nothing. */
export async function putKey(exchange: Exchange, key: string): Promise<void> {
  checkQuery(exchange, ['namespace', 'ttl']);
  const { request, served } = exchange;
  const keyspace = keyspaceOf(served.cache, namespacesOf(exchange));
  const conditions = conditionsOf(request.headers);
  const options = { ttl: ttlOf(exchange), tags: tagsOf(exchange) };
  checkOctets(exchange);
  const limitBytes = keyspace.maxEntryBytes - Buffer.byteLength(key);
  if (limitBytes < 0) throw tooLarge(limitBytes);
  const octets = await readBody(exchange, limitBytes);
  let wasThere: boolean;
  if (isConditional(conditions)) {
    wasThere = writeIf(keyspace, key, conditions, octets, options);
  } else {
    wasThere = keyspace.has(key);
    if (!keyspace.put(key, octets, options)) throw notStored(keyspace, key, limitBytes);
  }
  answerEmpty(exchange, wasThere ? 204 : 201, etagIfUnchanged(keyspace, key, octets));
}

export function deleteKey(exchange: Exchange, key: string): void {
  checkQuery(exchange, ['namespace']);
  const { request, served } = exchange;
  const keyspace = keyspaceOf(served.cache, namespacesOf(exchange));
  const conditions = conditionsOf(request.headers);
  const removed = isConditional(conditions) ? writeIf(keyspace, key, conditions, undefined) : keyspace.delete(key);
  if (!removed) throw notFound();
  answerEmpty(exchange, 204);
}

/**
 * Stores the octets, or removes the entry when there are none, if the entry is as the conditions want it: in one atomic
 * step. Whether there was an entry.
 *
 * `update` runs the callback for one version of the entry and stores only if that is still the version. The callback sees
 * whether there is an entry, and `entry` the version: were it another than update's, update would run the callback again,
 * for no version comes twice.
 */
function writeIf(
  keyspace: Keyspace<unknown>,
  key: string,
  conditions: Conditions,
  octets: Buffer | undefined,
  options: Parameters<Keyspace['put']>[2] = {},
): boolean {
  let wasThere = false;
  const stored = keyspace.update(
    key,
    (current) => {
      wasThere = current !== undefined;
      // A condition on an entry that is not there is no condition on its removal: 404, not 412.
      if (!wasThere && octets === undefined) return undefined;
      const version = wasThere ? keyspace.entry(key)?.version : undefined;
      if (evaluate(conditions, version) !== 'pass') throw preconditionFailed();
      return octets;
    },
    options,
  );
  // With a TTL of 0 nothing is stored, but update gives the value back.
  if (octets !== undefined && stored === undefined) throw tooLarge(octets.length - 1);
  return wasThere;
}

/** Without room for its tags an entry of nearly the largest size is refused; a lock that is kept leaves the old one. */
function notStored(keyspace: Keyspace<unknown>, key: string, limitBytes: number): Problem {
  return keyspace.has(key) ? unavailable('the entry could not be stored now') : tooLarge(limitBytes);
}

/** The tag of what was sent; nothing when another thread has written the key since. */
function etagIfUnchanged(keyspace: Keyspace<unknown>, key: string, octets: Buffer): { etag?: string } {
  const entry = keyspace.entry(key);
  const isSame = Buffer.isBuffer(entry?.value) && entry.value.equals(octets);
  return entry !== undefined && isSame ? { etag: etagOf(entry.version) } : {};
}

/** Throws 415 for a body that is encoded and 400 for a part of one: what is stored is the octets alone. */
function checkOctets({ request: { headers } }: Exchange): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new Problem(415, 'ERR_UNSUPPORTED_MEDIA_TYPE', 'a body must not have a Content-Encoding', {
      'accept-encoding': 'identity',
    });
  }
  if (headers['content-range'] !== undefined) throw badRequest('a PUT with Content-Range is a part of a body');
}

const notFound = (): Problem => new Problem(404, 'ERR_NOT_FOUND', 'there is no live entry under this key');

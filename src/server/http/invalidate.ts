import { answerEmpty } from './answer.js';
import { readBody } from './body.js';
import type { Exchange } from './exchange.js';
import { checkQuery, keyspaceOf, namespacesOf } from './parameters.js';
import { badRequest, Problem } from './problem.js';

const MAX_BODY_BYTES = 256 * 1024;

/** POST /v1/invalidate with `{ "tags": ["a", "b"] }`: ends every entry that was put with one of the tags. */
export async function invalidate(exchange: Exchange): Promise<void> {
  checkQuery(exchange, ['namespace']);
  const { request, served } = exchange;
  const keyspace = keyspaceOf(served.cache, namespacesOf(exchange));
  // Also what keeps a form of another site's page out, were there nothing else.
  if (!/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? ''))
    throw new Problem(415, 'ERR_UNSUPPORTED_MEDIA_TYPE', 'the body must be application/json');
  keyspace.invalidateTags(parse(await readBody(exchange, MAX_BODY_BYTES)));
  answerEmpty(exchange, 204);
}

/** What the cache itself checks: a tag or a list of them. */
function parse(body: Buffer): string | string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString());
  } catch {
    throw badRequest('the body must be JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Object.keys(parsed).join() !== 'tags')
    throw badRequest('the body must be { "tags": [...] }');
  return (parsed as { tags: string | string[] }).tags;
}

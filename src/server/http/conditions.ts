import type { IncomingHttpHeaders } from 'node:http';
import { badRequest, Problem } from './problem.js';

/** Versions of an If-Match or If-None-Match header: any there is, or those of a list. */
type Tags = '*' | ReadonlySet<string>;

/** The preconditions of a request (RFC 9110, section 13). */
export interface Conditions {
  readonly match: Tags | undefined;
  readonly noneMatch: Tags | undefined;
}

/** An entity tag, or nothing, and the comma or the end behind it. */
const ELEMENT = /[ \t]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")?[ \t]*(?:,|$)/y;

export const etagOf = (version: number): string => `"${version}"`;

/** Throws 400 for a header that is none of the two forms. */
export function conditionsOf(headers: IncomingHttpHeaders): Conditions {
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  return {
    match: match === undefined ? undefined : parse('If-Match', match),
    noneMatch: noneMatch === undefined ? undefined : parse('If-None-Match', noneMatch),
  };
}

export const isConditional = ({ match, noneMatch }: Conditions): boolean =>
  match !== undefined || noneMatch !== undefined;

/**
 * What the preconditions say of an entry with this version, undefined for an absent one: If-Match first, by the strong
 * comparison, then If-None-Match by the weak one, in which the mark of a weak tag does not count.
 */
export function evaluate({ match, noneMatch }: Conditions, version: number | undefined): 'pass' | 'changed' | 'same' {
  if (match !== undefined && !holds(match, version, false)) return 'changed';
  if (noneMatch !== undefined && holds(noneMatch, version, true)) return 'same';
  return 'pass';
}

export const preconditionFailed = (): Problem =>
  new Problem(412, 'ERR_PRECONDITION_FAILED', 'the entry is not as If-Match or If-None-Match wants it');

function holds(tags: Tags, version: number | undefined, weakly: boolean): boolean {
  if (version === undefined) return false;
  if (tags === '*') return true;
  const tag = etagOf(version);
  return tags.has(tag) || (weakly && tags.has(`W/${tag}`));
}

function parse(name: string, text: string): Tags {
  if (text.trim() === '*') return '*';
  const tags = new Set<string>();
  for (ELEMENT.lastIndex = 0; ELEMENT.lastIndex < text.length; ) {
    const [, tag] = ELEMENT.exec(text) ?? [undefined, ''];
    if (tag === '') throw badRequest(`${name} must be * or a list of entity tags such as "7"`);
    if (tag !== undefined) tags.add(tag);
  }
  return tags;
}

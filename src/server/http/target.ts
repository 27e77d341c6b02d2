import type { IncomingMessage } from 'node:http';

/** What a request asks for. */
export interface Target {
  /** As it was sent: not decoded, and no `..` resolved, since a key may hold anything. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The host it is meant for: of the target itself, where a proxy's client names it there, else of the Host header. */
  readonly host: string;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

export function targetOf({ url = '/', headers }: IncomingMessage): Target {
  const absolute = ABSOLUTE.exec(url);
  const relative = absolute === null ? url : url.slice(absolute[0].length);
  const mark = relative.indexOf('?');
  const path = mark < 0 ? relative : relative.slice(0, mark);
  return {
    path: path === '' ? '/' : path,
    query: new URLSearchParams(mark < 0 ? '' : relative.slice(mark + 1)),
    host: absolute === null ? (headers.host ?? '') : absolute[1],
  };
}

import type { Readable } from 'node:stream';
import { hasUnreadBody } from './body.js';
import type { Exchange } from './exchange.js';
import { problemOf } from './problem.js';

export type Headers = Readonly<Record<string, string | number>>;

/**
 * On every answer: nothing of it is to be kept, guessed at, framed, run, or read by the pages of other sites. What a client
 * stored is data: even opened as a page of its own it runs in a sandbox.
 */
const SECURITY: Headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Answers with a body; to HEAD with its headers alone. */
export function answer(
  { response }: Exchange,
  status: number,
  contentType: string,
  body: string | Buffer,
  headers: Headers = {},
): void {
  const contentLength = Buffer.byteLength(body);
  response.writeHead(status, {
    ...SECURITY,
    'content-type': contentType,
    'content-length': contentLength,
    ...headers,
  });
  response.end(body);
}

/** Answers without a body: 201, 204 or 304. */
export function answerEmpty({ response }: Exchange, status: number, headers: Headers = {}): void {
  const length = status === 201 ? { 'content-length': 0 } : {};
  response.writeHead(status, { ...SECURITY, ...length, ...headers }).end();
}

export function answerJson(exchange: Exchange, value: unknown): void {
  answer(exchange, 200, JSON_TYPE, JSON.stringify(value));
}

/** Begins an answer that goes on for as long as both sides like. */
export function answerStream({ response }: Exchange, contentType: string): void {
  response.writeHead(200, { ...SECURITY, 'content-type': contentType });
}

/** Answers with what went wrong, as JSON, if nothing was answered yet. */
export function answerProblem(exchange: Exchange, error: unknown): void {
  const { request, response } = exchange;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, code, message, headers } = problemOf(error);
  const body = Buffer.from(`${JSON.stringify({ error: { code, message } })}\n`);
  const all = { ...SECURITY, 'content-type': JSON_TYPE, 'content-length': body.length, ...headers };
  if (!hasUnreadBody(exchange)) {
    response.writeHead(status, all).end(body);
    return;
  }
  response.writeHead(status, { ...all, connection: 'close' });
  if (request.method !== 'HEAD') response.write(body);
  discard(request, () => response.end());
}

const JSON_TYPE = 'application/json';
const MOST_DISCARDED_BYTES = 16 * 2 ** 20;
const DISCARD_MS = 2_000;

/**
 * Reads on for a while and keeps nothing: a connection that is closed while bytes arrive is reset, and the client would
 * never see why its body was refused.
 */
function discard(body: Readable, done: () => void): void {
  let left = MOST_DISCARDED_BYTES;
  const stop = (): void => {
    clearTimeout(timer);
    body.off('data', count).off('end', stop).off('close', stop).pause();
    done();
  };
  const count = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left < 0) stop();
  };
  const timer = setTimeout(stop, DISCARD_MS);
  body.on('data', count).once('end', stop).once('close', stop).resume();
}

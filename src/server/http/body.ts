import type { Exchange } from './exchange.js';
import { badRequest, Problem, unavailable } from './problem.js';

/** Bytes of bodies that are being received, over all requests of a server. */
export class BodyBudget {
  readonly #bound: number;
  #used = 0;

  /** @param maxEntryBytes one body this long always fits */
  constructor(maxEntryBytes: number) {
    this.#bound = 64 * 2 ** 20 + 2 * maxEntryBytes;
  }

  /** Whether there was room for them. */
  take(bytes: number): boolean {
    if (this.#used + bytes > this.#bound) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

/**
 * The request's body. Throws 411 for one of no stated length, 413 for one that is longer, as soon as that is known and
 * without reading on, and 503 when too much is being received at once.
 */
export async function readBody(exchange: Exchange, limitBytes: number): Promise<Buffer> {
  const { request, response, served } = exchange;
  const { headers } = request;
  const announced = headers['content-length'];
  if (announced === undefined && headers['transfer-encoding'] === undefined)
    throw new Problem(411, 'ERR_LENGTH_REQUIRED', 'a body needs Content-Length or Transfer-Encoding: chunked');
  if (Number(announced) > limitBytes) throw tooLarge(limitBytes);
  if (headers.expect !== undefined) response.writeContinue();
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const receive = (chunk: Buffer): void => {
        const hasRoom = served.budget.take(chunk.length);
        if (hasRoom) length += chunk.length;
        if (hasRoom && length <= limitBytes) {
          chunks.push(chunk);
          return;
        }
        request.off('data', receive).pause();
        reject(hasRoom ? tooLarge(limitBytes) : unavailable('too many bodies are being received at once'));
      };
      request.on('data', receive);
      request.once('end', resolve);
      request.once('error', reject);
      request.once('close', () => reject(badRequest('the body ended early')));
    });
  } finally {
    served.budget.give(length);
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length);
}

/** Whether a body is still to come. */
export function hasUnreadBody({ request }: Exchange): boolean {
  const { headers, complete } = request;
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0);
}

export const tooLarge = (limitBytes: number): Problem =>
  new Problem(413, 'ERR_TOO_LARGE', `the body may be ${Math.max(0, limitBytes)} bytes long`);

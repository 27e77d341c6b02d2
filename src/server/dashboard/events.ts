import type { ServerResponse } from 'node:http';
import type { SharedCache } from '../../index.js';
import { answerStream } from '../http/answer.js';
import type { Exchange } from '../http/exchange.js';
import { unavailable } from '../http/problem.js';
import type { History } from './history.js';

/** Pages that look on at one time. */
const MAX_STREAMS = 64;
/** A page that has not read so much does not keep up: it is cut off, and may come again. */
const MAX_UNREAD_BYTES = 2 ** 20;

/** Server-sent events: `history` with all samples there are and what the cache is, then each `sample`. */
export class EventStreams {
  readonly #history: History;
  readonly #about: object;
  readonly #streams = new Set<ServerResponse>();

  constructor(history: History, cache: SharedCache<unknown>) {
    const { path, origin, maxEntryBytes } = cache;
    this.#history = history;
    this.#about = { path, origin, maxEntryBytes, isTimed: cache.monitor !== undefined };
  }

  open(exchange: Exchange): void {
    const { request, response } = exchange;
    if (this.#streams.size >= MAX_STREAMS) throw unavailable(`${MAX_STREAMS} pages look on already`);
    answerStream(exchange, 'text/event-stream');
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const send = (event: string, data: unknown): void => {
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      else response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    };
    const ended = this.#history.listen((sample) => send('sample', sample));
    this.#streams.add(response);
    response.once('close', () => {
      ended();
      this.#streams.delete(response);
    });
    send('history', { about: this.#about, samples: this.#history.samples });
  }

  close(): void {
    for (const response of this.#streams) response.end();
  }
}

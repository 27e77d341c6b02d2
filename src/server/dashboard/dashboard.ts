import { answer } from '../http/answer.js';
import type { Exchange } from '../http/exchange.js';
import type { Exporter } from '../http/exporter.js';
import { ASK_FOR_TOKEN, hasToken } from '../http/guard.js';
import { type Asset, readAssets } from './assets.js';
import { EventStreams } from './events.js';
import { History } from './history.js';

/** Its own files and its own server are all a page may load or talk to; nothing inline, nothing made up at run time. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** The live view of one cache: a page, its files and the events that keep it up to date. */
export class Dashboard {
  readonly #assets = readAssets();
  readonly #history: History;
  readonly #events: EventStreams;

  constructor(exporter: Exporter) {
    this.#history = new History(exporter);
    this.#events = new EventStreams(this.#history, exporter.cache);
  }

  /** The file at this path. None tells anything of the cache, so they need no token. */
  assetAt(path: string): Asset | undefined {
    return this.#assets.get(path);
  }

  /**
   * A browser has no way to send a token with the request for a page. Without one it gets the page all the same, which asks
   * for the token, and the status tells other clients that it was wanted.
   */
  answerAsset(exchange: Exchange, { contentType, body }: Asset): void {
    const isPage = contentType.startsWith('text/html');
    const wantsToken = isPage && !hasToken(exchange);
    answer(exchange, wantsToken ? 401 : 200, contentType, body, {
      'content-security-policy': POLICY,
      ...(wantsToken ? ASK_FOR_TOKEN : {}),
    });
  }

  openEvents(exchange: Exchange): void {
    this.#events.open(exchange);
  }

  close(): void {
    this.#history.close();
    this.#events.close();
  }
}

import type { Socket } from 'node:net';
import type { Client, Served } from './command.js';
import { run } from './commands.js';
import { type Limits, ProtocolError, RequestParser } from './parser.js';
import { errorReply, type Protocol } from './reply.js';

/** Before the token came, as in Redis: enough for HELLO and AUTH. */
const GUEST_LIMITS: Limits = { args: 10, argBytes: 16_384, frameBytes: 16_384 };
/** Replies are sent together until they are so long. */
const FLUSH_BYTES = 64 * 1024;
const GUEST_MS = 10_000;
/** For one command to come whole, and for a reply to be read. */
const STALLED_MS = 60_000;

/** Memory that unfinished commands and unread replies of all connections may take. */
export interface Budget {
  usedBytes: number;
  readonly maxBytes: number;
}

/** One client. Commands run in order; no more are run, nor read, while it does not read its replies. */
export class Connection implements Client {
  readonly id: number;
  readonly served: Served;
  protocol: Protocol = 2;
  isAllowed: boolean;
  name = '';
  isQuitting = false;
  readonly #socket: Socket;
  readonly #parser: RequestParser;
  readonly #limits: Limits;
  readonly #budget: Budget;
  #held = 0;
  #isBlocked = false;
  #isEnding = false;
  /** When it is ended unless it gets on; performance.now(). */
  #deadline: number;

  constructor(socket: Socket, id: number, served: Served, limits: Limits, budget: Budget) {
    this.#socket = socket;
    this.id = id;
    this.served = served;
    this.#limits = limits;
    this.#budget = budget;
    this.isAllowed = served.token === undefined;
    this.#parser = new RequestParser(this.isAllowed ? limits : GUEST_LIMITS);
    this.#deadline = this.isAllowed ? Number.POSITIVE_INFINITY : performance.now() + GUEST_MS;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      if (this.#isEnding) return;
      this.#parser.push(chunk);
      this.#work();
    });
    socket.on('drain', () => {
      if (!this.#isBlocked || this.#isEnding) return;
      this.#isBlocked = false;
      this.#work();
      if (!this.#isBlocked) socket.resume();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#hold(0));
  }

  /** Ends it if it has not got on in time. */
  checkTime(now: number): void {
    if (now > this.#deadline) this.#socket.destroy();
  }

  /** Sends what is owed, and ends. */
  end(): void {
    this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #work(): void {
    let replies = '';
    let done = 0;
    try {
      for (let args = this.#parser.next(); args !== undefined; args = this.#parser.next()) {
        const wasAllowed = this.isAllowed;
        replies += run(this, args);
        done++;
        if (!wasAllowed && this.isAllowed) this.#parser.limits = this.#limits;
        if (this.isQuitting) {
          this.#endWith(replies);
          return;
        }
        if (replies.length < FLUSH_BYTES) continue;
        this.#isBlocked = !this.#socket.write(replies, 'latin1');
        replies = '';
        if (this.#isBlocked) break;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#endWith(replies + errorReply(`ERR Protocol error: ${error.message}`));
      return;
    }
    if (replies !== '') this.#isBlocked = !this.#socket.write(replies, 'latin1');
    if (this.#isBlocked) this.#socket.pause();
    this.#hold(this.#parser.pendingBytes + this.#socket.writableLength);
    this.#setDeadline(done > 0);
  }

  /** Sends the last replies. Nothing that comes after runs, and a client that does not read them loses them in time. */
  #endWith(replies: string): void {
    this.#isEnding = true;
    this.#deadline = performance.now() + STALLED_MS;
    this.#socket.end(replies, 'latin1', () => this.#socket.destroy());
  }

  #setDeadline(gotOn: boolean): void {
    if (!this.isAllowed) return;
    const isWaiting = this.#isBlocked || this.#parser.pendingBytes > 0;
    if (!isWaiting) this.#deadline = Number.POSITIVE_INFINITY;
    else if (gotOn || this.#deadline === Number.POSITIVE_INFINITY) this.#deadline = performance.now() + STALLED_MS;
  }

  #hold(bytes: number): void {
    this.#budget.usedBytes += bytes - this.#held;
    this.#held = bytes;
    if (bytes > 0 && this.#budget.usedBytes > this.#budget.maxBytes) this.#socket.destroy();
  }
}

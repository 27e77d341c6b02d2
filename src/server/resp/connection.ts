import type { Socket } from 'node:net';
import type { Budget } from './budget.js';
import type { Client, Served } from './command.js';
import { run } from './commands.js';
import type { Outbox } from './outbox.js';
import { type Limits, ProtocolError, RequestParser } from './parser.js';
import { errorReply, type Protocol } from './reply.js';

/** Before the token came, as in Redis: enough for HELLO and AUTH. */
const GUEST_LIMITS: Limits = { args: 10, argBytes: 16_384, frameBytes: 16_384 };
/** Replies are sent together until they are so long. */
const FLUSH_BYTES = 64 * 1024;
/** Longer ones are sent in pieces: that one was taken shows that the client reads. */
const PIECE_BYTES = 256 * 1024;
const GUEST_MS = 10_000;
/** For one command to come whole, and for a piece of a reply to be read. */
const STALLED_MS = 60_000;

/**
 * One client. Commands run in order; no more are run, nor read, while it does not read its replies. Replies to what came in one
 * turn of the event loop are sent at its end.
 */
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
  readonly #outbox: Outbox;
  /** Replies that the socket was not yet given to their end, and how far it was. */
  #owed = '';
  #sent = 0;
  #isBlocked = false;
  /** What is owed waits in the outbox. */
  #isWaiting = false;
  #isEnding = false;
  /** The server ends: what is owed is sent, and nothing more is run. */
  #isLast = false;
  /** When it is ended unless it gets on; performance.now(). */
  #deadline: number;

  constructor(socket: Socket, id: number, served: Served, limits: Limits, budget: Budget, outbox: Outbox) {
    this.#socket = socket;
    this.id = id;
    this.served = served;
    this.#limits = limits;
    this.#budget = budget;
    this.#outbox = outbox;
    this.isAllowed = served.token === undefined;
    this.#parser = new RequestParser(this.isAllowed ? limits : GUEST_LIMITS);
    this.#deadline = this.isAllowed ? Number.POSITIVE_INFINITY : performance.now() + GUEST_MS;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      if (this.#isEnding || this.#isLast) return;
      this.#parser.push(chunk);
      this.#work();
    });
    // Before the socket's own listener, which ends it.
    socket.prependListener('end', () => this.flush());
    socket.on('drain', () => this.#goOn());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#budget.hold(this, 0, false));
  }

  /** Ends it if it has not got on in time. */
  checkTime(now: number): void {
    if (now > this.#deadline) this.#socket.destroy();
  }

  /** Sends what is owed, and ends. */
  end(): void {
    this.#isLast = true;
    if (this.#owed === '') this.#socket.destroySoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The client has read what the socket was given. */
  #goOn(): void {
    if (!this.#isBlocked || this.#isEnding) return;
    this.#isBlocked = false;
    this.#send();
    if (this.#isBlocked) this.#account(true);
    else if (this.#isLast) this.#socket.destroySoon();
    else this.#work(true);
    if (!this.#isBlocked) this.#socket.resume();
  }

  /** Runs what came. `gotOn`: replies were read. */
  #work(gotOn = false): void {
    let waiting = this.#owed.length;
    let replies = this.#owed;
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
        this.#owed = replies;
        this.#send();
        replies = '';
        waiting = 0;
        if (this.#isBlocked) break;
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#endWith(replies + errorReply(`ERR Protocol error: ${error.message}`));
      return;
    }
    if (replies !== '') {
      this.#owed = replies;
      this.#wait(replies.length - waiting);
    } else {
      if (this.#isBlocked) this.#socket.pause();
      this.#account(gotOn || done > 0);
    }
  }

  /** Leaves what is owed to the outbox. */
  #wait(moreBytes: number): void {
    if (!this.#isWaiting) this.#outbox.add(this);
    this.#isWaiting = true;
    this.#outbox.grow(moreBytes);
  }

  /** Sends what waits. */
  flush(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    if (this.#isEnding || this.#isBlocked || this.#owed === '' || this.#socket.destroyed) return;
    this.#send();
    if (this.#isBlocked) this.#socket.pause();
    else if (this.#isLast) this.#socket.destroySoon();
    this.#account(true);
  }

  /** Gives the socket piece by piece what it takes. */
  #send(): void {
    while (this.#sent < this.#owed.length && !this.#isBlocked) {
      const piece = this.#owed.slice(this.#sent, this.#sent + PIECE_BYTES);
      this.#sent += piece.length;
      this.#isBlocked = !this.#socket.write(piece, 'latin1');
    }
    if (this.#sent < this.#owed.length) return;
    this.#owed = '';
    this.#sent = 0;
  }

  /** What is owed counts as long as it is there, however much of it was sent. */
  #account(gotOn: boolean): void {
    this.#setDeadline(gotOn);
    this.#budget.hold(this, this.#parser.pendingBytes + this.#owed.length + this.#socket.writableLength, gotOn);
  }

  /** Sends the last replies. Nothing that comes after runs, and a client that does not read them loses them in time. */
  #endWith(replies: string): void {
    this.#isEnding = true;
    this.#deadline = performance.now() + STALLED_MS;
    this.#socket.end(replies, 'latin1', () => this.#socket.destroy());
    this.#budget.hold(this, this.#socket.writableLength, true);
  }

  #setDeadline(gotOn: boolean): void {
    if (!this.isAllowed) return;
    const isWaiting = this.#isBlocked || this.#parser.pendingBytes > 0;
    if (!isWaiting) this.#deadline = Number.POSITIVE_INFINITY;
    else if (gotOn || this.#deadline === Number.POSITIVE_INFINITY) this.#deadline = performance.now() + STALLED_MS;
  }
}

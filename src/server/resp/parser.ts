import { wordsOf } from './inline.js';

/**
 * Requests of the Redis protocol: arrays of bulk strings, and inline commands. Not redis-parser: that one is for replies,
 * sets no bound on a frame, and makes an array of whatever length the wire names.
 *
 * What is allocated follows the octets that came, never a length that was only announced. Arguments are strings of one
 * character for each octet (latin1), the form that V8 cuts fastest.
 */
export interface Limits {
  /** Arguments of a command, its name included. */
  readonly args: number;
  /** Octets of one argument. */
  readonly argBytes: number;
  /** Octets of all arguments of a command. */
  readonly frameBytes: number;
}

/** The stream cannot be understood from here on; the message is for the client. */
export class ProtocolError extends Error {}

/** Octets of a command that is not an array, and of a line that states a length. */
const MAX_INLINE = 4_096;
const MAX_LENGTH_LINE = 32;
/** What an argument that waits for the rest of its command takes besides its octets. */
const ARG_OVERHEAD = 64;
/** Longest name that is kept for the next command. */
const MAX_KEPT_NAME = 16;
const CR = 13;
const LF = 10;
const STAR = 42;
const DOLLAR = 36;

const NOTHING = Buffer.alloc(0);

export class RequestParser {
  limits: Limits;
  #buffer: Buffer = NOTHING;
  #isOwn = false;
  #at = 0;
  #end = 0;
  /** Octets without which the next step cannot be done. */
  #needed = 0;
  #args: string[] = [];
  /** The last command's name as the client writes it. */
  #name = '';
  /** Arguments still to come; 0 between commands. */
  #missing = 0;
  #argBytes = 0;
  #frameBytes = 0;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Memory that an unfinished command takes; 0 between commands. */
  get pendingBytes(): number {
    return this.#end - this.#at + this.#frameBytes + this.#args.length * ARG_OVERHEAD;
  }

  /** The octets are not copied while they come in whole commands. */
  push(chunk: Buffer): void {
    const kept = this.#end - this.#at;
    if (kept === 0) {
      this.#buffer = chunk;
      this.#isOwn = false;
      this.#at = 0;
      this.#end = chunk.length;
      return;
    }
    if (!this.#isOwn || this.#end + chunk.length > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(2 * (kept + chunk.length));
      this.#buffer.copy(grown, 0, this.#at, this.#end);
      this.#buffer = grown;
      this.#isOwn = true;
      this.#at = 0;
      this.#end = kept;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  /** The next command; undefined until the rest of it came. Throws ProtocolError. */
  next(): string[] | undefined {
    for (;;) {
      if (this.#end - this.#at < this.#needed) return undefined;
      this.#needed = 0;
      if (this.#missing === 0) {
        if (this.#end === this.#at) return undefined;
        if (this.#buffer[this.#at] !== STAR) {
          const line = this.#line(MAX_INLINE, 'too big inline request');
          if (line === undefined) return undefined;
          const args = wordsOf(line);
          if (args === undefined) throw new ProtocolError('unbalanced quotes in request');
          if (args.length > 0) return args;
          continue;
        }
        const count = this.#length(this.limits.args, 'invalid multibulk length');
        if (count === undefined) return undefined;
        if (count <= 0) continue;
        this.#missing = count;
        this.#argBytes = -1;
      }
      const args = this.#arguments();
      if (args !== undefined) return args;
      if (this.#missing > 0) return undefined;
    }
  }

  #arguments(): string[] | undefined {
    while (this.#missing > 0) {
      if (this.#argBytes < 0) {
        if (this.#end === this.#at) return undefined;
        if (this.#buffer[this.#at] !== DOLLAR) throw new ProtocolError("expected '$'");
        const length = this.#length(this.limits.argBytes, 'invalid bulk length');
        if (length === undefined) return undefined;
        if (length < 0 || this.#frameBytes + length > this.limits.frameBytes)
          throw new ProtocolError('invalid bulk length');
        this.#argBytes = length;
      }
      const end = this.#at + this.#argBytes;
      if (this.#end < end + 2) {
        this.#needed = this.#argBytes + 2;
        return undefined;
      }
      if (this.#buffer[end] !== CR || this.#buffer[end + 1] !== LF)
        throw new ProtocolError('expected CRLF after an argument');
      this.#args.push(this.#args.length === 0 ? this.#nameTo(end) : this.#buffer.latin1Slice(this.#at, end));
      this.#at = end + 2;
      this.#frameBytes += this.#argBytes;
      this.#argBytes = -1;
      this.#missing--;
    }
    const args = this.#args;
    this.#args = [];
    this.#frameBytes = 0;
    return args;
  }

  /** The name that ends there: most often the last one again, then the same string, which need not be made nor hashed anew. */
  #nameTo(end: number): string {
    if (this.#isLastName(end)) return this.#name;
    const name = this.#buffer.latin1Slice(this.#at, end);
    if (name.length <= MAX_KEPT_NAME) this.#name = name;
    return name;
  }

  #isLastName(end: number): boolean {
    const name = this.#name;
    const start = this.#at;
    if (end - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (this.#buffer[start + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  /** The number after `*` or `$`, in digits alone; -1 is the one that may be negative. */
  #length(most: number, problem: string): number | undefined {
    const buffer = this.#buffer;
    let at = this.#at + 1;
    let length = 0;
    while (at < this.#end && buffer[at] >= 48 && buffer[at] <= 57) {
      length = length * 10 + buffer[at++] - 48;
      if (length > most) throw new ProtocolError(problem);
    }
    if (at > this.#at + 1 && at + 1 < this.#end && buffer[at] === CR && buffer[at + 1] === LF) {
      this.#at = at + 2;
      return length;
    }
    const line = this.#line(MAX_LENGTH_LINE, problem);
    if (line === undefined) return undefined;
    if (line.slice(1) !== '-1') throw new ProtocolError(problem);
    return -1;
  }

  #line(most: number, problem: string): string | undefined {
    const lf = this.#buffer.subarray(this.#at, Math.min(this.#end, this.#at + most + 2)).indexOf(LF);
    if (lf < 0) {
      if (this.#end - this.#at > most) throw new ProtocolError(problem);
      this.#needed = this.#end - this.#at + 1;
      return undefined;
    }
    const end = this.#at + lf;
    const line = this.#buffer.toString('latin1', this.#at, lf > 0 && this.#buffer[end - 1] === CR ? end - 1 : end);
    this.#at = end + 1;
    return line;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { Program } from '../../scripts/services/debian.js';

interface Message {
  id?: number;
  method?: string;
  sessionId?: string;
  params?: unknown;
  result?: unknown;
  error?: { message: string };
}

const PATIENCE_MS = 20_000;

/** A headless Chromium spoken to in its DevTools protocol over pipes: NUL-separated JSON on descriptors 3 and 4. */
export class Chromium {
  readonly #process: ChildProcess;
  readonly #profile = mkdtempSync(join(tmpdir(), 'mooncake-chromium-'));
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  readonly #listeners: ((message: Message) => void)[] = [];
  #id = 0;
  #session: string | undefined;

  private constructor({ path, env }: Program) {
    this.#process = spawn(
      path,
      [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--remote-debugging-pipe',
        `--user-data-dir=${this.#profile}`,
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], env },
    );
    // When the browser ends its pipes may break; its exit says all there is to say.
    for (const pipe of this.#process.stdio.slice(3)) pipe?.on('error', () => {});
    let rest = '';
    (this.#process.stdio[4] as Readable).setEncoding('utf8').on('data', (chunk: string) => {
      const messages = (rest + chunk).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#receive(JSON.parse(message) as Message);
    });
    this.#process.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('Chromium has ended'));
    });
  }

  /** Starts the browser with one empty page. */
  static async start(program: Program): Promise<Chromium> {
    const browser = new Chromium(program);
    const { targetId } = (await browser.send('Target.createTarget', { url: 'about:blank' })) as { targetId: string };
    const attached = await browser.send('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = (attached as { sessionId: string }).sessionId;
    return browser;
  }

  send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#id;
    const message = JSON.stringify({ id, method, params, sessionId: this.#session });
    (this.#process.stdio[3] as Writable).write(`${message}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  on(listener: (message: Message) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    // Killed, it would leave processes that still write to the profile for a moment.
    this.#session = undefined;
    this.send('Browser.close').catch(() => {});
    const tooLate = setTimeout(() => this.#process.kill('SIGKILL'), PATIENCE_MS);
    await ended;
    clearTimeout(tooLate);
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }

  #receive(message: Message): void {
    const waiting = message.id === undefined ? undefined : this.#waiting.get(message.id);
    if (waiting === undefined) {
      for (const listener of this.#listeners) listener(message);
      return;
    }
    this.#waiting.delete(message.id as number);
    if (message.error === undefined) waiting.resolve(message.result);
    else waiting.reject(new Error(message.error.message));
  }
}

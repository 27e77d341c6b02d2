import { EventEmitter } from 'node:events';
import { describe, SharedCacheError } from '../errors.js';
import { NoResult } from '../flight/no-result.js';
import { loadPackage } from '../installed.js';
import { clearInterval, monotonicMs, setInterval } from '../sync/monotonic.js';
import type { RemoteOptions, Settings } from './options.js';
import type { RemoteKeys } from './remote-keys.js';
import { CLOCK, type Script } from './scripts.js';

type RedisPackage = typeof import('@redis/client');

/** What the tier asks of a client: the client alone, that of a cluster and that of sentinels have it all. */
export interface Client {
  connect(): Promise<unknown>;
  destroy(): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown;
  get(key: string): Promise<unknown>;
  mGet(keys: string[]): Promise<unknown>;
  getRange(key: string, start: number, end: number): Promise<unknown>;
  set(key: string, value: Buffer, options?: object): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: (string | Buffer)[] }): Promise<unknown>;
  evalSha(sha: string, options: { keys: string[]; arguments: (string | Buffer)[] }): Promise<unknown>;
  /** Only of the client alone and of sentinels; a cluster's is never ready as a whole. */
  readonly isReady?: boolean;
}

/** The remote did not do it, and may still: it is slow, gone, full, or refuses. */
export class Unreachable extends NoResult {}

/** ms between two looks at what has waited too long. */
const TICK_MS = 25;
/** More questions than this without an answer, and the remote is treated as down. */
const MAX_IN_FLIGHT = 4_096;
/** A silent link is noticed after the interval and the timeout together: within 5 s. */
const PING_MS = 1_000;
const SILENCE_MS = 3_000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1_000;
const REFUSED = /WRONGPASS|NOAUTH|NOPERM|invalid (username-)?password|AUTH/;

export interface RemoteCounters {
  errors: number;
  timeouts: number;
}

interface Question {
  readonly endsAt: number;
  giveUp(): void;
}

/** A connection of its own for the calling thread, with limits of time and number, and a breaker. */
export class Remote extends EventEmitter<{ change: []; refused: [SharedCacheError]; tick: [] }> {
  readonly counters: RemoteCounters = { errors: 0, timeouts: 0 };
  #client: Client;
  readonly #settings: Settings;
  readonly #keys: RemoteKeys;
  /** Those without an answer, in the order in which they end. One that has its answer is let go at once: it keeps much alive. */
  readonly #questions = new Set<Question>();
  readonly #timer: NodeJS.Timeout;
  #inFlight = 0;
  #failuresInARow = 0;
  /** The breaker: until when nothing is asked, 0 while it is closed. */
  #openUntil = 0;
  #isProbing = false;
  #isOpened = false;
  #isClosed = false;
  #clockOffset = 0;
  /** Since when there are questions and no answers. */
  #silentSince = 0;

  constructor(settings: Settings, keys: RemoteKeys) {
    super();
    this.#settings = settings;
    this.#keys = keys;
    this.#client = this.#createClient();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  #createClient(): Client {
    const client = createRemoteClient(this.#settings.remote);
    client.on('error', (error: unknown) => this.#noteError(error));
    // Under Sentinel it may be ready, and its connect() never come to an end.
    client.on('ready', () => void this.#open(client));
    for (const event of ['end', 'reconnecting', 'node-ready']) client.on(event, () => this.emit('change'));
    return client;
  }

  async #open(client: Client): Promise<void> {
    // What is fresh is told by it.
    await this.#readClock().catch(() => {});
    if (client !== this.#client || this.#isClosed) return;
    this.#isOpened = true;
    this.emit('change');
  }

  /** Begins to connect, and goes on trying until close(). */
  connect(): void {
    const client = this.#client;
    client.connect().then(
      () => this.#open(client),
      (error: unknown) => {
        this.#noteError(error);
        setTimeout(() => !this.#isClosed && client === this.#client && this.connect(), LAST_RETRY_MS).unref();
      },
    );
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const question of this.#questions) question.giveUp();
    destroyClient(this.#client);
  }

  /** A link on which nothing is answered is left for a new one: the client's own look at it ends with each question sent. */
  #reconnect(): void {
    const old = this.#client;
    this.#isOpened = false;
    this.#client = this.#createClient();
    destroyClient(old);
    this.connect();
    this.emit('change');
  }

  /** Whether it is worth asking. */
  get isUsable(): boolean {
    return this.#isOpened && this.#openUntil === 0 && this.#client.isReady !== false && this.#inFlight < MAX_IN_FLIGHT;
  }

  /** The remote's clock, ms. */
  now(): number {
    return Date.now() + this.#clockOffset;
  }

  /** Runs a script whose keys are an entry and its lease. */
  runOn(entry: string, script: Script, args: (string | Buffer)[]): Promise<unknown> {
    return this.run(script, [entry, this.#keys.lease(entry)], args);
  }

  async run(script: Script, keys: string[], args: (string | Buffer)[]): Promise<unknown> {
    const given = { keys, arguments: args };
    return this.ask(async (client) => {
      try {
        return await client.evalSha(script.sha, given);
      } catch (error) {
        if (!String(error).includes('NOSCRIPT')) throw error;
        return client.eval(script.text, given);
      }
    });
  }

  /** Rejects with Unreachable when the answer is late, or is an error. */
  ask(question: (client: Client) => Promise<unknown>): Promise<unknown> {
    if (!this.isUsable) return Promise.reject(new Unreachable('it is down'));
    return this.#ask(question);
  }

  #ask(send: (client: Client) => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const question: Question = {
        endsAt: monotonicMs() + this.#settings.remoteMs,
        giveUp: () => {
          this.#questions.delete(question);
          this.counters.timeouts++;
          this.#fail();
          reject(new Unreachable(`no answer within ${this.#settings.remoteMs} ms`));
        },
      };
      this.#questions.add(question);
      if (this.#inFlight++ === 0) this.#silentSince = monotonicMs();
      send(this.#client).then(
        (answer) => {
          this.#noteAnswer();
          if (!this.#questions.delete(question)) return;
          this.#failuresInARow = 0;
          resolve(answer);
        },
        (error: unknown) => {
          this.#noteAnswer();
          if (!this.#questions.delete(question)) return;
          this.counters.errors++;
          // An answer, even if it is no: the remote is there.
          if (isReply(error)) this.#failuresInARow = 0;
          else this.#fail();
          reject(new Unreachable('the remote failed', { cause: error }));
        },
      );
    });
  }

  #noteAnswer(): void {
    this.#inFlight--;
    this.#silentSince = monotonicMs();
  }

  #fail(): void {
    if (++this.#failuresInARow < this.#settings.failures || this.#openUntil !== 0) return;
    this.#openUntil = monotonicMs() + this.#settings.resetMs;
    this.emit('change');
  }

  #tick(): void {
    const now = monotonicMs();
    for (const question of this.#questions) {
      if (question.endsAt > now) break;
      question.giveUp();
    }
    if (this.#inFlight > 0 && now - this.#silentSince > SILENCE_MS) this.#reconnect();
    if (this.#openUntil !== 0 && now >= this.#openUntil && !this.#isProbing) void this.#probe();
    this.emit('tick');
  }

  /** One question while the breaker is half open. */
  async #probe(): Promise<void> {
    if (this.#client.isReady === false) return;
    this.#isProbing = true;
    try {
      await this.#readClock();
      this.#openUntil = 0;
      this.#failuresInARow = 0;
      this.emit('change');
    } catch {
      this.#openUntil = monotonicMs() + this.#settings.resetMs;
    } finally {
      this.#isProbing = false;
    }
  }

  /** The remote's clock decides what is fresh: machines may differ. */
  async #readClock(): Promise<void> {
    const before = Date.now();
    const time = Number(
      await this.#ask((client) => client.eval(CLOCK.text, { keys: [this.#keys.nothing], arguments: [] })),
    );
    if (time > 0) this.#clockOffset = time - (before + Date.now()) / 2;
  }

  #noteError(error: unknown): void {
    const refused = refusalOf(error);
    if (refused !== undefined) this.emit('refused', refused);
    this.emit('change');
  }
}

/** Closes the client's connections at once, one that is being made when it is made. */
export function destroyClient(client: Client): void {
  try {
    client.destroy();
  } catch {
    // It was never open.
  }
}

/** ERR_REMOTE_REFUSED if this is what the error says; without its text, which may name more than it should. */
export function refusalOf(error: unknown): SharedCacheError | undefined {
  const text = String((error as Error | undefined)?.message ?? error);
  if (!REFUSED.test(text)) return undefined;
  const code = /^[A-Z]+/.exec(text)?.[0] ?? 'AUTH';
  return new SharedCacheError(
    'ERR_REMOTE_REFUSED',
    `the remote refuses this member: ${describe(code)}; check user, password and ACL`,
  );
}

function isReply(error: unknown): boolean {
  return error instanceof Error && /ErrorReply|SimpleError|BlobError/.test(error.constructor.name);
}

/** A client that never gives up, waits for nothing by itself, and answers in octets. Throws ERR_INVALID_OPTION. */
export function createRemoteClient(remote: RemoteOptions, cacheOf?: (redis: RedisPackage) => object): Client {
  const redis = loadRedis();
  const clientSideCache = cacheOf?.(redis);
  try {
    return newClient(redis, remote, clientSideCache);
  } catch {
    // Without the cause, which shows the URL, and a password with it.
    throw new SharedCacheError(
      'ERR_INVALID_OPTION',
      'remote makes no sense to @redis/client: a url must be redis://HOST:PORT or rediss://HOST:PORT, a user and a password in it percent-encoded, a cluster must have rootNodes, a sentinel a name and sentinelRootNodes',
    );
  }
}

function newClient(redis: RedisPackage, remote: RemoteOptions, clientSideCache: object | undefined): Client {
  const common = {
    RESP: 3 as const,
    ...(clientSideCache === undefined ? {} : { clientSideCache }),
  };
  const node = {
    disableOfflineQueue: true,
    pingInterval: PING_MS,
    maintNotifications: 'disabled' as const,
  };
  const socket = {
    connectTimeout: LAST_RETRY_MS * 2,
    socketTimeout: SILENCE_MS,
    reconnectStrategy: (retries: number): number =>
      Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(retries, 10)) * (0.5 + Math.random() / 2),
  };
  // A time limit of the client's own costs several times the command.
  const commandOptions = { timeout: 0, typeMapping: { [redis.RESP_TYPES.BLOB_STRING]: Buffer } };
  if ('cluster' in remote) {
    const { defaults } = remote.cluster;
    const options = {
      ...remote.cluster,
      ...common,
      commandOptions,
      defaults: { ...defaults, ...node, socket: { ...defaults?.socket, ...socket } },
    };
    return redis.createCluster(options as never) as unknown as Client;
  }
  if ('sentinel' in remote) {
    const { nodeClientOptions, sentinelClientOptions } = remote.sentinel;
    const options = {
      scanInterval: LAST_RETRY_MS,
      ...remote.sentinel,
      ...common,
      commandOptions,
      nodeClientOptions: { ...nodeClientOptions, ...node, socket: { ...nodeClientOptions?.socket, ...socket } },
      sentinelClientOptions: {
        ...sentinelClientOptions,
        socket: { ...sentinelClientOptions?.socket, ...socket, reconnectStrategy: false },
      },
    };
    return redis.createSentinel(options as never) as unknown as Client;
  }
  const options = { ...remote, ...common, ...node, commandOptions, socket: { ...remote.socket, ...socket } };
  return redis.createClient(options as never) as unknown as Client;
}

/** Throws ERR_MODULE_MISSING. */
function loadRedis(): RedisPackage {
  try {
    return loadPackage<RedisPackage>('@redis/client');
  } catch (cause) {
    throw new SharedCacheError(
      'ERR_MODULE_MISSING',
      'mooncake-cache/tier needs the package @redis/client, version 6 or later: npm install @redis/client',
      { cause },
    );
  }
}

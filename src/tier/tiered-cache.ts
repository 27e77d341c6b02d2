import { checkNamespaceName } from '../arguments.js';
import type { SharedCache } from '../cache.js';
import { checkFunction, type SharedCacheError } from '../errors.js';
import { namespaceLine } from '../namespace.js';
import type { CacheStats } from '../stats.js';
import { TieredKeyspace } from './keyspace.js';
import { Member, type RemoteStats } from './member.js';
import { resolveTier, type TieredCacheOptions } from './options.js';
import { TrackingThread } from './tracking-thread.js';

/** 'up' when the remote answers and the machine is told what others change; 'connecting' before the first time. */
export type TierStatus = 'connecting' | 'up' | 'down';

/** What a member knows: of its local cache, which is the machine's, and of its own questions to the remote. */
export interface TierStats {
  local: CacheStats;
  remote: RemoteStats;
}

/** How much longer than `remoteMs` the opening waits for the tracking thread to start, ms. */
const START_MS = 900;

/**
 * A cache of many machines: Valkey or Redis is the distributed engine, and the machine's SharedCache a coherent near tier in
 * front of it, one for all threads and processes. Reads of what is near take no trip; what another member writes is gone here
 * as soon as the remote tells.
 *
 * @typeParam V - The values. Nothing checks at run time what another member has put.
 */
export class TieredCache<V = unknown> extends TieredKeyspace<V> {
  readonly #tracking: TrackingThread;
  readonly #listeners = new Set<(status: TierStatus) => void>();
  #status: TierStatus = 'connecting';

  private constructor(member: Member, tracking: TrackingThread) {
    super(member, []);
    this.#tracking = tracking;
    member.remote.on('tick', () => this.#tick());
    member.remote.on('change', () => this.#noteStatus());
  }

  /**
   * Connects, and resolves when the cache is 'up', or else within `remoteMs` + 1 s: then it works locally, and goes on trying.
   * Rejects with ERR_INVALID_OPTION, ERR_INVALID_TTL, ERR_MODULE_MISSING without the package @redis/client, and with
   * ERR_REMOTE_REFUSED when the remote refuses user or password.
   */
  static async open<V = unknown>(options: TieredCacheOptions): Promise<TieredCache<V>> {
    const settings = resolveTier(options);
    const member = new Member(settings);
    const { local, remote, prefix, unlinkedTtl, remoteMs } = settings;
    const { buffers } = local.handle;
    const tracking = new TrackingThread(member.link, { buffers, remote, prefix, unlinkedTtl });
    const cache = new TieredCache<V>(member, tracking);
    try {
      await cache.#start(remoteMs + START_MS);
    } catch (error) {
      await cache.close();
      throw error;
    }
    return cache;
  }

  async #start(patienceMs: number): Promise<void> {
    const { remote } = this.member;
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: SharedCacheError): void => settle(() => reject(error));
      const timer = setTimeout(() => settle(resolve), patienceMs);
      const stop = this.onStatus((status) => {
        if (status === 'up') settle(resolve);
      });
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        stop();
        done();
      };
      remote.once('refused', refuse);
      this.#tracking.onRefused = refuse;
      this.#tracking.look();
      remote.connect();
    });
    if (this.#status === 'connecting') this.#setStatus('down');
  }

  /** The machine's cache, for synchronous reads of what is near. */
  get local(): SharedCache<V> {
    return this.member.settings.local as SharedCache<V>;
  }

  /** Whether the remote answers, and the machine is told what others change. */
  get status(): TierStatus {
    return this.#status;
  }

  /** Whether close() was called here. */
  get closed(): boolean {
    return this.member.isClosed;
  }

  /** Calls `listener` with each new status; returns what ends that. */
  onStatus(listener: (status: TierStatus) => void): () => void {
    checkFunction('the listener', listener);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keys and tags of their own in the fleet, as `SharedCache.namespace`. Throws ERR_INVALID_ARGUMENT. */
  namespace<W = V>(name: string): TieredNamespace<W> {
    return namespaceInside<W>(this.member, this.path, name);
  }

  /** Counts of the local cache, and of this member's remote. */
  getStats(): TierStats {
    this.member.open();
    return { local: this.local.getStats(), remote: this.member.stats() };
  }

  /** Leaves the fleet; the local cache stays open, and its other members go on. Closing twice is allowed. */
  async close(): Promise<void> {
    if (this.member.isClosed) return;
    this.member.isClosed = true;
    this.member.remote.close();
    await this.#tracking.close();
    this.#setStatus('down');
  }

  /** As close, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One line for util.inspect and console.log. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `TieredCache { ${this.closed ? 'closed' : this.#status} }`;
  }

  #tick(): void {
    const { member } = this;
    if (member.isClosed || this.local.closed) return;
    this.#tracking.look();
    member.link.dropIfOld(member.settings.unlinkedTtl, () => member.near.dropLinked());
    void member.repairs.run();
    this.#noteStatus();
  }

  #noteStatus(): void {
    const { member } = this;
    if (member.isClosed || this.local.closed) return;
    const isUp = member.remote.isUsable && member.link.isUp && member.repairs.isEmpty;
    if (isUp) this.#setStatus('up');
    else if (this.#status === 'up') this.#setStatus('down');
  }

  #setStatus(status: TierStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of [...this.#listeners]) listener(status);
  }
}

/**
 * Keys of their own inside of a TieredCache, under a name: no key of one namespace is a key of another or of the cache itself,
 * in the whole fleet.
 *
 * @typeParam V - The values.
 */
export class TieredNamespace<V = unknown> extends TieredKeyspace<V> {
  /** What it was made with. */
  get name(): string {
    return this.path[this.path.length - 1];
  }

  /** The namespace of this name inside of this one: its keys are its own, and end with this one's clear(). */
  namespace<W = V>(name: string): TieredNamespace<W> {
    return namespaceInside<W>(this.member, this.path, name);
  }

  /** One line for util.inspect and console.log, as of the cache. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return namespaceLine('TieredNamespace', this.member.isClosed, this.path);
  }
}

function namespaceInside<V>(member: Member, path: readonly string[], name: string): TieredNamespace<V> {
  member.open();
  checkNamespaceName(name);
  return new TieredNamespace<V>(member, [...path, name]);
}

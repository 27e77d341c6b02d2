import type { BasicPooledClientSideCache } from '@redis/client';
import { Arena, type ArenaBuffers } from '../memory/arena.js';
import { Session } from '../session.js';
import { clearInterval, setInterval } from '../sync/monotonic.js';
import { Table } from '../table/table.js';
import { ID_BYTES, ID_START } from './entry-format.js';
import { Link } from './link.js';
import { Near } from './near.js';
import type { RemoteOptions } from './options.js';
import { type Client, createRemoteClient, destroyClient, refusalOf } from './remote.js';
import { RemoteKeys, type RemoteName } from './remote-keys.js';

/** What the tracking thread is given. */
export interface TrackerData {
  readonly buffers: ArenaBuffers;
  readonly remote: RemoteOptions;
  readonly prefix: string;
  readonly unlinkedTtl: number;
}

const BEAT_MS = 100;
const CONFIRM_MS = 20;
const RETRY_MS = 1_000;
/** Longer than any answer takes that still comes. */
const ANSWER_MS = 3_000;

/**
 * Follows what others change at the remote, and ends it in the machine's cache: server-assisted client-side caching (CLIENT
 * TRACKING with BCAST, https://valkey.io/topics/client-side-caching), into shared memory instead of a client's own. It runs
 * in a thread that does nothing else, so no busy event loop delays it.
 *
 * Every new connection counts as a gap: until tracking is on again and everything from before was dropped, the link is down.
 */
export class Tracker {
  readonly #link: Link;
  readonly #near: Near;
  readonly #keys: RemoteKeys;
  #client: Client;
  readonly #remote: RemoteOptions;
  readonly #table: Table;
  readonly #onEnd: (refusal?: Error) => void;
  readonly #beats: NodeJS.Timeout;
  readonly #unlinkedTtl: number;
  /** Nodes of a cluster that are not connected now. */
  readonly #missing = new Set<string>();
  /** Counts connections: what was asked by an earlier one confirms nothing. */
  #connection = 0;
  /** Whether everything is told on this connection. */
  #isConfirmed = false;
  #isEnded = false;

  /** Undefined when another thread tracks. `onEnd`: it has stopped, maybe because the remote refuses it. */
  static start(data: TrackerData, onEnd: (refusal?: Error) => void): Tracker | undefined {
    const table = Table.of(Arena.attach(data.buffers), { service: true });
    const link = new Link(table);
    if (link.claim()) return new Tracker(table, link, data, onEnd);
    table.release();
    return undefined;
  }

  private constructor(
    table: Table,
    link: Link,
    { remote, prefix, unlinkedTtl }: TrackerData,
    onEnd: (refusal?: Error) => void,
  ) {
    this.#table = table;
    this.#link = link;
    this.#near = new Near(new Session(table, undefined));
    this.#keys = new RemoteKeys(prefix);
    this.#unlinkedTtl = unlinkedTtl;
    this.#onEnd = onEnd;
    this.#beats = setInterval(() => this.#beat(), BEAT_MS);
    this.#remote = remote;
    this.#client = this.#createClient();
    this.#connect();
  }

  #createClient(): Client {
    this.#missing.clear();
    let client: Client | undefined;
    const isCurrent = (): boolean => client === undefined || client === this.#client;
    client = createRemoteClient(this.#remote, ({ BasicPooledClientSideCache: Base }) => this.#bridge(Base, isCurrent));
    client.on('error', (error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal !== undefined) this.end(refusal);
    });
    const nodeOf = ({ host, port }: { host: string; port: number }): string => `${host}:${port}`;
    client.on('node-disconnect', (node: never) => this.#missing.delete(nodeOf(node)));
    client.on('node-reconnecting', (node: never) => this.#missing.add(nodeOf(node)));
    client.on('node-ready', (node: never) => this.#missing.delete(nodeOf(node)));
    return client;
  }

  #connect(): void {
    const client = this.#client;
    client.connect().catch((error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal !== undefined) this.end(refusal);
      else setTimeout(() => !this.#isEnded && client === this.#client && this.#connect(), RETRY_MS).unref();
    });
  }

  /** Leaves a client that does not answer for a new one: under Sentinel a question asked without a primary holds up all others. */
  #reconnect(): void {
    const old = this.#client;
    this.#client = this.#createClient();
    destroyClient(old);
    this.#connect();
    this.#interrupted();
  }

  end(refusal?: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearInterval(this.#beats);
    this.#link.resign();
    destroyClient(this.#client);
    this.#table.release();
    this.#onEnd(refusal);
  }

  #beat(): void {
    if (!this.#link.isTracker) {
      this.end();
      return;
    }
    this.#link.beat();
    // One of two that had stood still: this thread, and was taken for gone, or the tracker before it, and believed to be one still.
    if (this.#isConfirmed !== this.#link.isUp) this.#interrupted();
    this.#link.dropIfOld(this.#unlinkedTtl, () => this.#near.dropLinked());
  }

  /** The client's own cache, which keeps nothing: it hears what a client-side cache hears. */
  #bridge(Base: typeof BasicPooledClientSideCache, isCurrent: () => boolean): BasicPooledClientSideCache {
    const interrupted = (): void => {
      if (isCurrent()) this.#interrupted();
    };
    const told = (key: string | Buffer | null): void => this.#told(key);
    const { prefix } = this.#keys;
    return new (class extends Base {
      override trackingOn(): string[] {
        interrupted();
        return ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', prefix, 'NOLOOP'];
      }
      override invalidate(key: string | Buffer | null): void {
        told(key);
      }
      override clear(): void {
        // Of a cluster, whenever it looks at its nodes again.
        told(null);
      }
      override onError(): void {
        interrupted();
      }
      override onClose(): void {
        interrupted();
      }
      override onPoolClose(): void {
        interrupted();
      }
      override async handleCache(
        ...[, parser, ask, transform, types]: Parameters<BasicPooledClientSideCache['handleCache']>
      ): Promise<unknown> {
        const reply = await ask();
        return transform === undefined ? reply : transform(reply as never, parser.preserve, types);
      }
    })();
  }

  /**
   * A connection was lost, or is being made: its tracking is on with its first answer. What was missed meanwhile is not known, not
   * even whether something was: of a cluster, a node may have got another connection before the old one was closed.
   */
  #interrupted(): void {
    this.#connection++;
    this.#isConfirmed = false;
    if (this.#isEnded) return;
    this.#link.lost();
    void this.#confirm(this.#connection);
  }

  /** Has the link up again once all nodes answer. */
  async #confirm(connection: number): Promise<void> {
    while (connection === this.#connection && !this.#isEnded) {
      const outcome = this.#client.isReady === false ? 'no' : await this.#askWhetherThere();
      if (connection !== this.#connection || this.#isEnded) return;
      if (outcome === 'late') {
        this.#reconnect();
        return;
      }
      if (outcome === 'yes' && this.#missing.size === 0) {
        this.#isConfirmed = true;
        this.#link.restored(() => this.#near.drop());
        this.#link.told(true);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, CONFIRM_MS));
    }
  }

  async #askWhetherThere(): Promise<'yes' | 'no' | 'late'> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, ANSWER_MS, 'late');
    });
    const asked = this.#client.get(this.#keys.nothing).then(
      () => 'yes' as const,
      () => 'no' as const,
    );
    try {
      return await Promise.race([asked, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What the remote tells: this key was changed, or, null, everything may have been. */
  #told(remoteKey: string | Buffer | null): void {
    if (this.#isEnded) return;
    const name = remoteKey === null ? undefined : this.#keys.parse(remoteKey.toString());
    if (remoteKey === null) this.#near.drop();
    else if (name?.kind === 'freed') this.#near.told(name.entry);
    else if (name !== undefined) this.#changed(remoteKey.toString(), name);
    this.#link.told(remoteKey === null);
  }

  #changed(remoteKey: string, name: Exclude<RemoteName, { kind: 'freed' }>): void {
    const id = this.#near.marked(remoteKey);
    if (id === undefined) this.#end(remoteKey, name);
    else void this.#checkOwn(remoteKey, id, name);
    this.#near.told(remoteKey);
  }

  /** Ends what somebody else has changed. */
  #end(remoteKey: string, name: Exclude<RemoteName, { kind: 'freed' }>): void {
    if (name.kind === 'entry') {
      this.#near.at(name.path, true).delete(name.key);
      return;
    }
    this.#near.generations.delete(remoteKey);
    for (const isLinked of [true, false]) {
      const space = this.#near.at(name.path, isLinked);
      if (name.kind === 'tag') space.invalidateTags(name.tag);
      else space.clear();
    }
  }

  /**
   * This machine wrote the key itself a moment ago, and has what it wrote. Who wrote last, the remote knows; of a later write
   * than this answer tells, there will be other news.
   */
  async #checkOwn(remoteKey: string, id: string, name: Exclude<RemoteName, { kind: 'freed' }>): Promise<void> {
    const start = name.kind === 'entry' ? ID_START : 0;
    try {
      const there = await this.#client.getRange(remoteKey, start, start + ID_BYTES - 1);
      if (Buffer.isBuffer(there) && there.toString('hex') === id) {
        // Whatever else is told of the key is somebody else's.
        if (this.#near.marked(remoteKey) === id) this.#near.unmark(remoteKey);
        return;
      }
    } catch {
      // With the link lost, so is all news: what is here then has its own end.
    }
    if (!this.#isEnded && this.#link.isUp) this.#end(remoteKey, name);
  }
}

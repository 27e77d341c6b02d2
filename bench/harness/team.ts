import { transfer } from 'comlink';
import type { Adapter, Host, Setup } from '../adapters/adapter.js';
import { createBarrier } from './barrier.js';
import type { ThreadRound, Work } from './load-api.js';
import { type Member, startProcess, startThread } from './member.js';

export interface TeamPlan {
  readonly setup: Setup;
  readonly seed: number;
  /** Flags for the load threads' or processes' Node, such as --cpu-prof. Default none. */
  readonly execArgv?: readonly string[];
}

/** One adapter's store with its load threads, filled and checked, ready for rounds of any work. */
export class Team {
  readonly adapter: Adapter;
  /** ms each thread took to attach. */
  readonly attachMs: readonly number[];
  readonly #host: Host;
  readonly #members: readonly Member[];

  private constructor(adapter: Adapter, host: Host, members: readonly Member[], attachMs: readonly number[]) {
    this.adapter = adapter;
    this.#host = host;
    this.#members = members;
    this.attachMs = attachMs;
  }

  /** Throws when the store does not give back what was put into it. */
  static async assemble(adapter: Adapter, plan: TeamPlan): Promise<Team> {
    const host = await adapter.init(plan.setup);
    const { threads, processes } = plan.setup;
    const barrier = processes ? undefined : createBarrier(threads);
    const start = processes ? startProcess : startThread;
    const members = Array.from({ length: threads }, () => start(plan.execArgv ?? []));
    const attachMs: number[] = [];
    const team = new Team(adapter, host, members, attachMs);
    try {
      for (const [thread, { api }] of members.entries()) {
        const handle = host.handle(thread);
        const { setup, seed } = plan;
        const order = { setup, seed, adapter: adapter.name, handle: handle.value, thread, barrier };
        attachMs.push(await api.open(transfer(order, [...(handle.transfer ?? [])])));
      }
      await team.#prepare();
    } catch (error) {
      await team.#abandon();
      throw error;
    }
    return team;
  }

  /** What the following rounds are about. */
  async take(work: Work): Promise<void> {
    await Promise.all(this.#members.map(({ api }) => api.take(work)));
  }

  /** All threads together for `durationMs`. */
  run(durationMs: number): Promise<ThreadRound[]> {
    return Promise.all(this.#members.map(({ api }) => api.run(durationMs)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ api }) => api.close()));
    await this.#abandon();
  }

  /** For stores of which some threads may not have been opened. */
  async #abandon(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.end()));
    await this.#host.close();
  }

  /** Fills, and has every thread check what the first one put: of what is shared, everybody must see it. */
  async #prepare(): Promise<void> {
    const writers = this.adapter.shared ? this.#members.slice(0, 1) : this.#members;
    await Promise.all(writers.map(({ api }) => api.fill()));
    await Promise.all(this.#members.map(({ api }) => api.check(false)));
    await Promise.all(writers.map(({ api }) => api.change()));
    await Promise.all(this.#members.map(({ api }) => api.check(true)));
  }
}

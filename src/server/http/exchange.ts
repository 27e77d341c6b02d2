import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SharedCache } from '../../index.js';
import type { Dashboard } from '../dashboard/dashboard.js';
import type { BodyBudget } from './body.js';
import type { Exporter } from './exporter.js';
import type { Target } from './target.js';

/** What all requests of one server share. */
export interface Served {
  readonly cache: SharedCache<unknown>;
  readonly token: string | undefined;
  /** Whether it listens on a loopback address: only the machine's own names lead to it. */
  readonly hasOwnNames: boolean;
  readonly budget: BodyBudget;
  readonly exporter: Exporter;
  readonly dashboard: Dashboard;
}

/** One request with its answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: Target;
  readonly served: Served;
}

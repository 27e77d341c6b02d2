import type { EventEmitter } from 'node:events';

/** The next message of a child process or a thread; undefined when it ended without one. */
export function messageOrEnd(child: EventEmitter): Promise<unknown> {
  return new Promise((resolve) => {
    child.once('message', resolve);
    child.once('exit', () => resolve(undefined));
  });
}

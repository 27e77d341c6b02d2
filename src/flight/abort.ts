/** Callbacks by signal: many calls may share one signal, which has one listener of ours. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back when the signal aborts; returns what ends that. The signal has not aborted yet. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = waiting.get(signal) ?? listen(signal);
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0 || waiting.get(signal) !== callbacks) return;
    waiting.delete(signal);
    signal.removeEventListener('abort', listeners.get(callbacks) as () => void);
  };
}

const listeners = new WeakMap<Set<() => void>, () => void>();

function listen(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>();
  const abort = (): void => {
    waiting.delete(signal);
    for (const callback of callbacks) callback();
  };
  waiting.set(signal, callbacks);
  listeners.set(callbacks, abort);
  signal.addEventListener('abort', abort, { once: true });
  return callbacks;
}

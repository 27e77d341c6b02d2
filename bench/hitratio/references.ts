/** What the cache is compared with: exact simulations, hit percentages over a trace's request numbers. */

export function exactLru(requests: Int32Array, entries: number): number {
  const held = new Set<number>();
  return percentage(requests, (key) => {
    if (held.delete(key)) {
      held.add(key);
      return true;
    }
    if (held.size >= entries) held.delete(held.values().next().value as number);
    held.add(key);
    return false;
  });
}

export function exactFifo(requests: Int32Array, entries: number): number {
  const held = new Set<number>();
  return percentage(requests, (key) => {
    if (held.has(key)) return true;
    if (held.size >= entries) held.delete(held.values().next().value as number);
    held.add(key);
    return false;
  });
}

/** S3-FIFO with a tenth in the small queue, a ghost of nine tenths, and two hits to get into the main queue. */
export function exactS3Fifo(requests: Int32Array, entries: number): number {
  const smallTarget = Math.max(1, Math.floor(entries * 0.1));
  const mainTarget = entries - smallTarget;
  // Maps keep insertion order: the first key is a queue's oldest. Values count hits.
  const small = new Map<number, number>();
  const main = new Map<number, number>();
  const ghost = new Set<number>();
  const oldest = (queue: Map<number, number> | Set<number>): number => queue.keys().next().value as number;

  const evictSmall = (): boolean => {
    while (small.size > 0) {
      const key = oldest(small);
      const hits = small.get(key) as number;
      small.delete(key);
      if (hits >= 2) {
        main.set(key, 0);
        continue;
      }
      ghost.add(key);
      if (ghost.size > mainTarget) ghost.delete(oldest(ghost));
      return true;
    }
    return false;
  };
  const evictMain = (): void => {
    for (;;) {
      const key = oldest(main);
      const hits = main.get(key) as number;
      main.delete(key);
      if (hits === 0) return;
      main.set(key, hits - 1);
    }
  };
  return percentage(requests, (key) => {
    const queue = small.has(key) ? small : main.has(key) ? main : undefined;
    if (queue !== undefined) {
      queue.set(key, Math.min(3, (queue.get(key) as number) + 1));
      return true;
    }
    const known = ghost.delete(key);
    while (small.size + main.size >= entries) {
      if (main.size > mainTarget || small.size === 0 || !evictSmall()) evictMain();
    }
    (known ? main : small).set(key, 0);
    return false;
  });
}

/** The optimum (Belady, 1966): evict what is asked for again latest. */
export function belady(requests: Int32Array, entries: number): number {
  const next = nextUses(requests);
  const heap = new LatestFirst();
  const heldUntil = new Map<number, number>();
  let at = 0;
  return percentage(requests, (key) => {
    const use = next[at++] as number;
    const hit = heldUntil.has(key);
    heldUntil.set(key, use);
    heap.push(use, key);
    if (heldUntil.size > entries) {
      // What is asked for again never, or later than all others; entries of the heap that were renewed are skipped.
      for (let top = heap.pop(); ; top = heap.pop()) {
        if (heldUntil.get(top.key) !== top.use) continue;
        heldUntil.delete(top.key);
        break;
      }
    }
    return hit;
  });
}

function nextUses(requests: Int32Array): Int32Array {
  const next = new Int32Array(requests.length);
  const seen = new Map<number, number>();
  for (let i = requests.length - 1; i >= 0; i--) {
    next[i] = seen.get(requests[i] as number) ?? requests.length;
    seen.set(requests[i] as number, i);
  }
  return next;
}

function percentage(requests: Int32Array, access: (key: number) => boolean): number {
  let hits = 0;
  for (const key of requests) if (access(key)) hits++;
  return (100 * hits) / requests.length;
}

/** A binary heap of (use, key), the greatest use on top. */
class LatestFirst {
  readonly #uses: number[] = [];
  readonly #keys: number[] = [];

  push(use: number, key: number): void {
    let at = this.#uses.push(use) - 1;
    this.#keys.push(key);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#uses[parent] as number) >= (this.#uses[at] as number)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): { use: number; key: number } {
    this.#swap(0, this.#uses.length - 1);
    const top = { use: this.#uses.pop() as number, key: this.#keys.pop() as number };
    const size = this.#uses.length;
    for (let at = 0; ; ) {
      let child = 2 * at + 1;
      if (child + 1 < size && (this.#uses[child + 1] as number) > (this.#uses[child] as number)) child++;
      if (child >= size || (this.#uses[child] as number) <= (this.#uses[at] as number)) return top;
      this.#swap(at, child);
      at = child;
    }
  }

  #swap(a: number, b: number): void {
    const [uses, keys] = [this.#uses, this.#keys];
    [uses[a], uses[b]] = [uses[b] as number, uses[a] as number];
    [keys[a], keys[b]] = [keys[b] as number, keys[a] as number];
  }
}

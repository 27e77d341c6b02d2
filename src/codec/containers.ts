/** Up to so many objects are compared one by one, more are kept in a Map. */
const FEW = 12;

/** The objects that an encoding has met, by the order in which they began. */
export class Containers {
  readonly #few: unknown[] = new Array(FEW).fill(undefined);
  readonly #many = new Map<unknown, number>();
  #count = 0;

  /** The number of an object that was met before, or -1, and then it has been met now. */
  meet(object: object): number {
    const few = this.#few;
    const count = this.#count;
    const compared = Math.min(count, FEW);
    for (let i = 0; i < compared; i++) if (few[i] === object) return i;
    if (count < FEW) {
      few[count] = object;
    } else {
      const number = this.#many.get(object);
      if (number !== undefined) return number;
      this.#many.set(object, count);
    }
    this.#count = count + 1;
    return -1;
  }

  /** Keeps nothing of the caller's alive. */
  forget(): void {
    const count = Math.min(this.#count, FEW);
    for (let i = 0; i < count; i++) this.#few[i] = undefined;
    if (this.#count > FEW) this.#many.clear();
    this.#count = 0;
  }
}

// Values on their way to one `for await`, which may be slower than they come.

/** @template T */
export class Queue {
  /** @type {T[]} */ #values = [];
  #taken = 0; // of those, from the front
  /** @type {{resolve: (result: IteratorResult<T>) => void, reject: (error: Error) => void}[]} */ #asking = [];
  #over = false;
  /** @type {?Error} */ #error = null;
  /** @type {() => void} */ #left;

  /** @param {() => void} left is called when nobody will take any more */
  constructor(left = () => {}) {
    this.#left = left;
  }

  /** @param {T} value */
  push(value) {
    if (this.#over) return;
    const asking = this.#asking.shift();
    if (asking) asking.resolve({ value, done: false });
    else this.#values.push(value);
  }

  /** What is in it is still taken; then the loop ends, by throwing *error* if there is one. @param {?Error} error */
  end(error = null) {
    if (this.#over) return;
    this.#over = true;
    this.#error = error;
    for (const asking of this.#asking.splice(0)) this.#close(asking);
  }

  /** @returns {Promise<IteratorResult<T>>} */
  next() {
    if (this.#taken < this.#values.length) return Promise.resolve({ value: this.#take(), done: false });
    return new Promise((resolve, reject) => {
      if (this.#over) this.#close({ resolve, reject });
      else this.#asking.push({ resolve, reject });
    });
  }

  /** The loop was left. @returns {Promise<IteratorResult<T>>} */
  return() {
    this.end();
    [this.#values, this.#taken] = [[], 0];
    this.#left();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  #close({ resolve, reject }) {
    const error = this.#error;
    this.#error = null; // thrown once, as a generator does
    if (error) reject(error);
    else resolve({ value: undefined, done: true });
  }

  #take() {
    const value = this.#values[this.#taken];
    this.#taken += 1;
    if (this.#taken === this.#values.length) [this.#values, this.#taken] = [[], 0];
    return value;
  }
}

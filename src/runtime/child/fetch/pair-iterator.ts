/**
 * The iterator of Web IDL's pairs. It has no `return`: a loop that was left can be gone on with, as with Node's own.
 * Live: what is added behind the place that has been reached still comes.
 */
export class PairIterator<T> extends Iterator<T, undefined, unknown> {
  readonly #pairs: () => readonly [string, string][];
  readonly #pick: (pair: [string, string]) => T;
  #at = 0;

  constructor(pairs: () => readonly [string, string][], pick: (pair: [string, string]) => T) {
    super();
    this.#pairs = pairs;
    this.#pick = pick;
  }

  next(): IteratorResult<T, undefined> {
    const pair = this.#pairs()[this.#at];
    if (pair === undefined) return { value: undefined, done: true };
    this.#at++;
    return { value: this.#pick(pair), done: false };
  }
}

Object.defineProperty(PairIterator.prototype, Symbol.toStringTag, {
  value: 'Headers Iterator',
  configurable: true,
});

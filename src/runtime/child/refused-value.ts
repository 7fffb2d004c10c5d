/** A value that cannot cross, and where in the whole it is. Steps are added from the inside outwards. */
export class RefusedValue extends Error {
  readonly #steps: string[] = [];
  /** What it is, with its article: `a function`. */
  readonly what: string;

  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.what = what;
  }

  /** The place as an expression that begins with the whole: `.items[2].onClick`. */
  get path(): string {
    return this.#steps.toReversed().join('');
  }

  within(step: string): this {
    this.#steps.push(step);
    return this;
  }
}

export function stepOf(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** Shorter values are ordinary words and numbers: to hide those would spoil the log, and tell more than it hides. */
const SHORTEST_CHARS = 6;
/** Of a value with several lines, such as a key in PEM, a line by itself is hidden from so many characters on. */
const SHORTEST_LINE_CHARS = 16;
const HIDDEN = '***';

/**
 * Hides the values of secrets in what components print, where they print them by mistake: as they are, and as JSON writes them. Whoever
 * wants to print one can (in base64, letter by letter); this is no wall.
 */
export class SecretMask {
  readonly #known = new Set<string>();
  #longestFirst: readonly string[] = [];

  /** Hides these from now on, and those before still. */
  learn(values: Iterable<string>): void {
    for (const value of values) {
      for (const form of formsOf(value)) this.#known.add(form);
    }
    // One value may be a part of another.
    this.#longestFirst = [...this.#known].sort((a, b) => b.length - a.length);
  }

  hide(text: string): string {
    let shown = text;
    for (const value of this.#longestFirst) {
      if (shown.includes(value)) shown = shown.replaceAll(value, HIDDEN);
    }
    return shown;
  }
}

function formsOf(value: string): string[] {
  const lines = value
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== value && line.length >= SHORTEST_LINE_CHARS);
  const whole = value.trim().length >= SHORTEST_CHARS ? [value.trim()] : [];
  return [...whole, ...lines].flatMap((form) => [form, JSON.stringify(form).slice(1, -1)]);
}

/** Where a bar goes: a terminal, which can be written over. */
export interface BarOutput {
  readonly isTerminal: boolean;
  readonly width: number;
  write(text: string): void;
}

const BAR = 24;
const CLEAR = '\r\u001B[K';

/** One line that shows how far something is, written over again and again; nothing where there is no terminal. */
export class ProgressBar {
  readonly #output: BarOutput;
  #drawn = '';

  constructor(output: BarOutput = stderrOutput()) {
    this.#output = output;
  }

  /** @param share 0 to 1. */
  set(what: string, share: number): void {
    if (!this.#output.isTerminal) return;
    const whole = Math.min(Math.max(share, 0), 1);
    const full = Math.round(whole * BAR);
    const text = `${what.padEnd(10)} ${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${String(Math.floor(whole * 100)).padStart(3)} %`;
    if (text === this.#drawn) return;
    this.#drawn = text;
    this.#output.write(
      `${CLEAR}${Array.from(text)
        .slice(0, this.#output.width - 1)
        .join('')}`,
    );
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#drawn !== '') this.#output.write(CLEAR);
    this.#drawn = '';
  }
}

function stderrOutput(): BarOutput {
  return {
    isTerminal: process.stderr.isTTY,
    width: process.stderr.columns ?? 80,
    write: (text) => process.stderr.write(text),
  };
}

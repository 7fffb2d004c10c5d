import { formatDuration } from '../../base/duration.ts';
import { paint, printableLine, terminalWidth, truncate, wrap } from '../terminal.ts';

export interface StepLine {
  /** `upload`, `start storefront`. */
  readonly name: string;
  readonly state: 'begun' | 'done' | 'noted' | 'skipped' | 'failed';
  readonly text: string;
  readonly tookMs: number | null;
}

/** Where the steps go: a terminal that can redraw what is under way, or anything else. */
export interface StepOutput {
  readonly isTerminal: boolean;
  readonly width: number;
  write(text: string): void;
}

const INDENT = '    ';
const NAME_WIDTH = 12;
const TIME_WIDTH = 8;
/** More at a time would not fit a terminal, and cannot be redrawn once they have left it. */
const MOST_LIVE = 10;
const MARKS = { begun: '·', done: '✓', noted: '!', skipped: '-', failed: '✗' } as const;
const COLOURS = { begun: 'dim', done: 'green', noted: 'yellow', skipped: 'dim', failed: 'red' } as const;

/**
 * The steps of a deploy as lines. What has ended stays; what is under way is redrawn in place below it on a terminal, and is not told
 * before it ends elsewhere.
 */
export class StepList {
  readonly #output: StepOutput;
  readonly #live = new Map<string, StepLine>();
  #drawn = 0;

  constructor(output: StepOutput = stderrOutput()) {
    this.#output = output;
  }

  set(step: StepLine): void {
    if (step.state === 'begun') {
      this.#live.set(step.name, step);
      this.#redraw([]);
      return;
    }
    this.#live.delete(step.name);
    this.#redraw([step]);
  }

  /** A line for people, between the steps. */
  note(text: string): void {
    this.#erase();
    this.#output.write(
      `  ${paint('dim', truncate(printableLine(text), this.#output.width - 2), process.stderr)}\n`,
    );
    this.#draw();
  }

  /** What belongs to the step before, for people, as wide as it is where words allow no less. */
  lines(texts: readonly string[]): void {
    this.#erase();
    const width = this.#output.width - INDENT.length;
    const all = texts.flatMap((text) => text.split('\n')).flatMap((line) => wrapped(line, width));
    this.#output.write(all.map((line) => `${INDENT}${line}\n`).join(''));
    this.#draw();
  }

  /** One that needs not be told any more. */
  drop(name: string): void {
    this.#live.delete(name);
    this.#redraw([]);
  }

  /** What was under way is left as it stands. */
  end(): void {
    this.#live.clear();
    this.#drawn = 0;
  }

  #redraw(ended: readonly StepLine[]): void {
    this.#erase();
    for (const step of ended) this.#output.write(`${this.#lineOf(step)}\n`);
    this.#draw();
  }

  #erase(): void {
    if (this.#drawn > 0) this.#output.write(`\u001B[${this.#drawn}A\u001B[0J`);
    this.#drawn = 0;
  }

  #draw(): void {
    if (!this.#output.isTerminal) return;
    const lines = [...this.#live.values()].slice(0, MOST_LIVE).map((step) => `${this.#lineOf(step)}\n`);
    this.#output.write(lines.join(''));
    this.#drawn = lines.length;
  }

  #lineOf({ name, state, text, tookMs }: StepLine): string {
    const time = tookMs === null ? '' : formatDuration(tookMs);
    const label = truncate(printableLine(name), Math.max(NAME_WIDTH, 24)).padEnd(NAME_WIDTH);
    const room = this.#output.width - 4 - label.length - 1 - TIME_WIDTH - 1;
    const said = truncate(printableLine(text), room).padEnd(time === '' ? 0 : room);
    const line = `${label} ${said}${time === '' ? '' : ` ${time.padStart(TIME_WIDTH)}`}`.trimEnd();
    return `  ${paint(COLOURS[state], MARKS[state], process.stderr)} ${state === 'begun' ? paint('dim', line, process.stderr) : line}`;
  }
}

function stderrOutput(): StepOutput {
  return {
    isTerminal: process.stderr.isTTY && process.env['TERM'] !== 'dumb',
    width: terminalWidth(),
    write: (text) => void process.stderr.write(text),
  };
}

/** With what it begins with by way of indent before each line. */
function wrapped(line: string, width: number): string[] {
  const indent = /^ */.exec(line)![0];
  return wrap(line.slice(indent.length), width - indent.length).map((part) => indent + part);
}

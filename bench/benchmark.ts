/** One line of what a benchmark found. `target` is for `ratio` where there is one, else for `value`. */
export interface Row {
  readonly bench: string;
  readonly name: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** The name of the row of the same metric that `ratio` is over. */
  readonly ratioTo?: string;
  readonly ratio?: number;
  readonly target?: Target;
  /** Whether the target is met; absent where there is none. */
  readonly ok?: boolean;
}

export interface Target {
  readonly min?: number;
  readonly max?: number;
}

export interface RunOptions {
  /** Seconds instead of a minute: enough to see that it runs, not to believe its numbers. */
  readonly quick: boolean;
  /** Of benchmarks that know it: what slow clients do, instead of what fast ones get. */
  readonly slow: boolean;
  /** Tells a person what is going on. */
  readonly note: (text: string) => void;
}

export interface Benchmark {
  readonly name: string;
  /** What it measures and what its rows mean, in lines of at most 69 characters. */
  readonly about: string;
  run(options: RunOptions): Promise<Row[]>;
}

export interface Finding {
  readonly name: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  /** The finding that it is compared with. */
  readonly over?: { readonly name: string; readonly value: number };
  readonly target?: Target;
}

/** A finding as a row: with its ratio, and whether its target is met. */
export function rowOf(bench: string, finding: Finding): Row {
  const { name, metric, value, unit, over, target } = finding;
  const ratio = over === undefined ? {} : { ratioTo: over.name, ratio: value / over.value };
  const judged = target === undefined ? {} : { target, ok: meets(ratio.ratio ?? value, target) };
  return { bench, name, metric, value, unit, ...ratio, ...judged };
}

function meets(value: number, { min = -Infinity, max = Infinity }: Target): boolean {
  return value >= min && value <= max;
}

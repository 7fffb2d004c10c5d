import { startOf } from '../process-start.ts';

/** Releases that one process has something of running, by app: it may still start instances of them. */
export interface HeldTrees {
  readonly pid: number;
  /** In the kernel's ticks: with the pid it names one process for all time. */
  readonly startedAt: string | null;
  readonly releases: Readonly<Record<string, readonly number[]>>;
}

/** What the servers before this one still use of the data while they drain: it is not tidied up as long as they live. */
export class EarlierServers {
  #held: readonly HeldTrees[] = [];

  add(held: readonly HeldTrees[]): void {
    this.#held = [...this.living(), ...held];
  }

  /** The numbers of an app's releases that they may use. */
  releasesOf(app: string): readonly number[] {
    return this.living().flatMap(({ releases }) => releases[app] ?? []);
  }

  living(): readonly HeldTrees[] {
    this.#held = this.#held.filter(({ pid, startedAt }) => startedAt !== null && startOf(pid) === startedAt);
    return this.#held;
  }
}

/** What this process itself holds. */
export function heldBy(
  apps: Iterable<{ readonly id: string; readonly live: readonly { readonly number: number | null }[] }>,
): HeldTrees {
  const releases = [...apps].map(
    ({ id, live }) => [id, live.flatMap(({ number }) => (number === null ? [] : [number]))] as const,
  );
  const { pid } = process;
  return { pid, startedAt: startOf(pid), releases: Object.fromEntries(releases) };
}

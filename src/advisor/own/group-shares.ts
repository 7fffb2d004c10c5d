import type { Mode } from '../../model/app.ts';
import type { InstancesLine, MinuteLine } from '../../model/usage-export.ts';

const DAY_MS = 86_400_000;

/** One component's part of what instances lived that it shared with others. */
export interface InstanceShare {
  readonly component: string;
  /** 0 to 1. */
  readonly share: number;
}

/**
 * Whose the instances of a group were: each member has of a day's what it had of that day's work in that mode; where nothing worked, of all
 * days' work; where nothing ever did, as much as any other.
 */
export class GroupShares {
  /** By component: busy ms by mode and day, and in all. */
  readonly #work = new Map<string, Map<string, number>>();

  add({
    component,
    mode,
    minuteMs,
    wholeMs,
  }: Pick<MinuteLine, 'component' | 'mode' | 'minuteMs' | 'wholeMs'>): void {
    let work = this.#work.get(component);
    if (work === undefined) this.#work.set(component, (work = new Map()));
    for (const key of [dayKey(mode, minuteMs), mode]) work.set(key, (work.get(key) ?? 0) + wholeMs);
  }

  /** @param members of the unit that the line is of. Their shares add up to 1. */
  of(
    { mode, minuteMs }: Pick<InstancesLine, 'mode' | 'minuteMs'>,
    members: readonly string[],
  ): InstanceShare[] {
    const [only] = members;
    if (members.length === 1) return [{ component: only!, share: 1 }];
    for (const key of [dayKey(mode, minuteMs), mode]) {
      const work = members.map((component) => this.#work.get(component)?.get(key) ?? 0);
      const sum = work.reduce((total, ms) => total + ms, 0);
      if (sum === 0) continue;
      return members
        .map((component, i) => ({ component, share: work[i]! / sum }))
        .filter(({ share }) => share > 0);
    }
    return members.map((component) => ({ component, share: 1 / members.length }));
  }
}

function dayKey(mode: Mode, atMs: number): string {
  return `${mode} ${Math.floor(atMs / DAY_MS)}`;
}

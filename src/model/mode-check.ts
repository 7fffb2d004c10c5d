import type { Mode } from './app.ts';

export interface ModeCheck {
  /** Or a group, all of whose members are looked at. */
  readonly component: string;
  readonly from: Mode;
  readonly to: Mode;
  /** Warnings first. Empty where it has the mode already. */
  readonly findings: readonly ModeFinding[];
}

/** One place in the author's code that is for one mode only. */
export interface ModeFinding {
  readonly rule: string;
  /** Of a group: the member whose code it is; null: the component itself. */
  readonly member: string | null;
  /** A `warning` refuses a switch, a `note` does not. */
  readonly severity: 'warning' | 'note';
  /** Relative to the app's folder; null where there is no place. */
  readonly file: string | null;
  /** From 1; 0 where there is no place. */
  readonly line: number;
  readonly column: number;
  readonly lineText: string;
  readonly message: string;
  readonly advice: string;
}

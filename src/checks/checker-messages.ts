import type { Mode } from '../model/app.ts';
import type { Finding } from './finding.ts';

/** What the checker's thread is asked; plain data. */
export interface CheckerQuestion {
  /** Of the module that is imported. */
  readonly bundlePath: string;
  readonly appDirectory: string;
  readonly libraries: readonly string[];
  readonly to: Mode;
  readonly concurrency: number;
  readonly hasStorage: boolean;
}

export type CheckerAnswer = { readonly findings: readonly Finding[] } | { readonly error: string };

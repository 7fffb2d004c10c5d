import type { Rule, Severity } from './finding.ts';
import type { Node } from './syntax.ts';

/** A finding before it is led back to the author's file. */
export interface Raw {
  readonly rule: Rule;
  readonly severity: Severity;
  readonly node: Node;
  readonly message: string;
}

import type { DeployStep } from '../../control/host-port.ts';
import { findingLines } from '../finding-lines.ts';
import { printableLine } from '../terminal.ts';
import type { StepList } from './step-list.ts';

const MOST_FINDINGS = 10;

/** Shows a server's steps among the client's own: each fault once, and what was found in the code below its step. */
export class ServerSteps {
  readonly #list: StepList;
  /** Steps of which a component has failed. */
  readonly #failed = new Set<string>();

  constructor(list: StepList) {
    this.#list = list;
  }

  show({ name, component, state, message, tookMs, findings = [] }: DeployStep): void {
    if (component !== null && state === 'failed') this.#failed.add(name);
    // The step as a whole has failed because of what has just been told.
    if (component === null && state === 'failed' && this.#failed.has(name)) return this.#list.drop(name);
    if (name === 'fit' && state === 'done') return this.#showFit(message);
    this.#list.set({
      name: component === null ? name : `${name} ${component}`,
      state: findings.length > 0 ? 'noted' : state,
      text: message,
      tookMs: state === 'skipped' ? null : tookMs,
    });
    if (findings.length === 0) return;
    const left = findings.length - MOST_FINDINGS;
    const more =
      left > 0
        ? [`… and ${left} more: \`fulcrum mode ${component ?? 'COMPONENT'} MODE --check\` shows all`]
        : [];
    this.#list.lines([...findingLines(findings.slice(0, MOST_FINDINGS), process.stderr), ...more]);
  }

  /** A deploy that went well, of more than the machine can hold at the most. */
  #showFit(message: string): void {
    const text = 'more is allowed than the machine has room for';
    this.#list.set({ name: 'fit', state: 'noted', text, tookMs: null });
    this.#list.lines(printableLine(message).split('; '));
  }
}

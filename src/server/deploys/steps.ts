import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { DeployStep } from '../../control/host-port.ts';
import type { ModeFinding } from '../../model/mode-check.ts';

export type StepName = 'check' | 'keep' | 'unpack' | 'start' | 'route' | 'drain' | 'fit' | 'modes';

const NOT_NEEDED = 'not needed any more';

/** Tells whoever deploys where it stands: one step at a time, and within `start` one for each component. Never throws. */
export class Steps {
  readonly #clock: Clock;
  readonly #tell: (step: DeployStep) => void;
  /** By name and component: when those that are under way began. */
  readonly #begun = new Map<string, { name: StepName; component: string | null; atMs: number }>();

  constructor(clock: Clock, tell: (step: DeployStep) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  begin(name: StepName, component: string | null = null, message = ''): void {
    this.#begun.set(keyOf(name, component), { name, component, atMs: this.#clock.monotonicMs() });
    this.#say({ name, component, state: 'begun', message, tookMs: null });
  }

  done(name: StepName, message = '', component: string | null = null): void {
    this.#end(name, component, 'done', message);
  }

  /** A step that ended well, with what was found in a component's code. */
  found(name: StepName, component: string, message: string, findings: readonly ModeFinding[]): void {
    this.#end(name, component, 'done', message, findings);
  }

  /** One of its components is given up because of another one. */
  skipped(name: StepName, component: string): void {
    this.#end(name, component, 'skipped', NOT_NEEDED);
  }

  /** One of its components cannot go on. */
  failed(name: StepName, component: string, error: unknown): void {
    this.#end(name, component, 'failed', firstLine(error));
  }

  /** Nothing goes on: whatever is under way has failed. */
  giveUp(error: unknown): void {
    for (const { name, component } of [...this.#begun.values()].reverse()) {
      if (component === null) this.#end(name, component, 'failed', firstLine(error));
      else this.skipped(name, component);
    }
  }

  #end(
    name: StepName,
    component: string | null,
    state: 'done' | 'skipped' | 'failed',
    message: string,
    findings: readonly ModeFinding[] = [],
  ): void {
    const begun = this.#begun.get(keyOf(name, component));
    if (begun === undefined) return;
    this.#begun.delete(keyOf(name, component));
    const tookMs = Math.round(this.#clock.monotonicMs() - begun.atMs);
    const step = { name, component, state, message, tookMs };
    this.#say(findings.length === 0 ? step : { ...step, findings });
  }

  #say(step: DeployStep): void {
    try {
      this.#tell(step);
    } catch {
      // Whoever listened has gone; what was begun goes on.
    }
  }
}

function keyOf(name: StepName, component: string | null): string {
  return `${name} ${component ?? ''}`;
}

function firstLine(error: unknown): string {
  return messageOf(error).split('\n', 1)[0] ?? '';
}

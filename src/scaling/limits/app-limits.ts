import type { Clock } from '../../base/clock.ts';
import { sameLimits, type ChosenLimits, type ComponentSpec, type Limits } from '../../model/app.ts';
import { ComponentLimits } from './component-limits.ts';

type Components = ReadonlyMap<string, ComponentSpec>;

/** The limits of an app's components, all its releases together. What serves says what they are, and a canary only of what is new with it. */
export class AppLimits {
  readonly #clock: Clock;
  readonly #all = new Map<string, ComponentLimits>();
  /** Chosen by hand before, of components that nothing is known of yet. */
  readonly #kept: Map<string, ChosenLimits>;

  /** @param kept what was chosen by hand, by component. */
  constructor(clock: Clock, kept: Readonly<Record<string, ChosenLimits>> = {}) {
    this.#clock = clock;
    this.#kept = new Map(Object.entries(kept));
  }

  of(component: string): ComponentLimits {
    let limits = this.#all.get(component);
    if (limits === undefined) {
      limits = new ComponentLimits(component, this.#clock);
      limits.choose(this.#kept.get(component) ?? null);
      this.#all.set(component, limits);
    }
    return limits;
  }

  configure(serving: Components, canary: Components | null): void {
    for (const [name, limits] of this.#all) {
      if (limits.unused && !serving.has(name) && canary?.has(name) !== true) this.#forget(name, limits);
    }
    for (const spec of [...(canary?.values() ?? []), ...serving.values()]) {
      if (spec.kind !== 'static') this.of(spec.name).configure(spec.limits);
    }
  }

  #forget(name: string, { choice }: ComponentLimits): void {
    this.#all.delete(name);
    if (choice === null) this.#kept.delete(name);
    else this.#kept.set(name, choice);
  }

  /** Limits chosen by hand; null: those of the config, which is what choosing the same as those means, too. @returns what to keep of it. */
  choose(component: string, chosen: Limits | null): ChosenLimits | null {
    const limits = this.of(component);
    const { configured } = limits.status();
    const choice = chosen === null || sameLimits(chosen, configured) ? null : { configured, chosen };
    limits.choose(choice);
    return choice;
  }
}

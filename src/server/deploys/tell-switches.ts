import { sleep, type Clock } from '../../base/clock.ts';
import type { ModeCheck } from '../../model/mode-check.ts';
import type { AppSpec } from '../../model/app.ts';
import { unitsOf } from '../../model/units.ts';
import type { Steps } from './steps.ts';

/** Whoever deploys waits so long for what the release has passed already; the log tells what comes later. */
const WAIT_MS = 10_000;

export interface TellSwitchesOptions {
  readonly spec: AppSpec;
  /** What would break of those whose mode is `auto`; never rejects. */
  readonly switches: Promise<readonly ModeCheck[]>;
  readonly steps: Pick<Steps, 'begin' | 'done' | 'found'>;
  readonly clock: Clock;
}

/** Tells, of each component or group whose mode is `auto`, what in its code a switch would break. */
export async function tellSwitches({ spec, switches, steps, clock }: TellSwitchesOptions): Promise<void> {
  const names = unitsOf(spec).flatMap(({ name, modeSetting }) => (modeSetting === 'auto' ? [name] : []));
  if (names.length === 0) return;
  for (const name of names) steps.begin('modes', name);
  const all = await Promise.race([switches, sleep(clock, WAIT_MS).then(() => null)]);
  for (const name of names) {
    if (all === null) {
      steps.done('modes', 'its code is still being looked at; `fulcrum logs` will tell', name);
      continue;
    }
    const checks = all.filter(({ component, findings }) => component === name && findings.length > 0);
    if (checks.length === 0) steps.done('modes', 'can run as a function and as a service', name);
    else {
      const findings = checks.flatMap((check) => check.findings);
      steps.found('modes', name, checks.map(sentenceOf).join('; '), findings);
    }
  }
}

function sentenceOf({ to, findings }: ModeCheck): string {
  const { length } = findings;
  return `as a ${to} it would break in ${length === 1 ? 'one place' : `${length} places`}`;
}

import type { Clock } from '../base/clock.ts';
import type { Mode, ModeSetting } from '../model/app.ts';
import { allReady } from './candidates.ts';
import { newcomerOf, type Newcomer } from './fit.ts';
import type { ScaledComponent } from './scaled-component.ts';

export interface ModeSwitched {
  readonly from: Mode;
  readonly to: Mode;
  readonly tookMs: number;
}

export interface SwitchParts {
  readonly clock: Clock;
  /** Throws `machine-full` where the machine can never hold it beside what is there. */
  readonly refuse: (newcomer: Newcomer) => void;
  readonly signal: AbortSignal;
}

/**
 * Makes `component` run the way `setting` says, without a failed invocation: the instances of the new mode stand ready
 * before the first invocation goes to them, who waits is carried over, and those of the old mode finish what they have.
 * Towards a function, as many instances are begun as the replicas have work in flight, and one that is ready proves that
 * the mode works; the others come as they come. Must run in the component's turn. Throws `machine-full` or
 * `start-failed`; then all is as before.
 *
 * @param means what `auto` is to mean; null: what it is already.
 */
export async function switchMode(
  component: ScaledComponent,
  setting: ModeSetting,
  means: Mode | null,
  { clock, refuse, signal }: SwitchParts,
): Promise<ModeSwitched> {
  const beganMs = clock.monotonicMs();
  const from = component.mode;
  const to = setting === 'auto' ? (means ?? from) : setting;
  if (from !== to) {
    const { revision, inFlight } = component.pool;
    refuse(newcomerOf(revision.spec, to, true));
    const warm = to === 'function' ? warmFor(inFlight, revision.spec.function) : 0;
    const pool = component.prepare({
      revision,
      mode: to,
      occasion: 'mode switch',
      warm,
      inspectPort: component.inspectPort,
    });
    await allReady([{ pool, needs: pool.needs }], signal);
    component.route(pool, `mode switch to ${to}`);
  }
  component.choice = { configured: component.choice?.configured ?? setting, chosen: setting, mode: to };
  const tookMs = clock.monotonicMs() - beganMs;
  if (from !== to) component.note(`switched from ${from} to ${to} in ${Math.round(tookMs)} ms`);
  return { from, to, tookMs };
}

/** Enough function instances for the work that is in flight at the moment of the switch, but never a stampede. */
const MOST_WARM = 8;

function warmFor(
  inFlight: number,
  { concurrency, fresh, maxInstances }: { concurrency: number; fresh: boolean; maxInstances: number },
): number {
  const wanted = Math.ceil(inFlight / (fresh ? 1 : concurrency));
  return Math.max(1, Math.min(wanted, maxInstances, MOST_WARM));
}

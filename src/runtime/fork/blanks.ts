import type { Clock } from '../../base/clock.ts';
import type { BlankSites } from '../sandbox/blank-sites.ts';
import type { SandboxPlan } from '../sandbox/plan.ts';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import { resourcesExhausted } from '../../base/exhausted.ts';
import { Blank, type BlankParent } from './blank.ts';
import { blanksFor, StartRate } from './spares.ts';
import { ZygoteLost } from './zygote-lost.ts';

export interface BlanksOptions {
  readonly root: BlankParent;
  /** Null: none is kept ready, each is forked into the sandbox that it is for. */
  readonly sites: BlankSites | null;
  readonly clock: Clock;
}

/** After one was taken: what it is for comes first. */
const REFILL_MS = 25;
/** What it has copied of the system's files, and what it sees of its mounts, is as old as it is. */
const MAX_AGE_MS = 10 * 60_000;

/** The blank zygotes of one root zygote: some wait, so that a start need not wait for namespaces and control groups. */
export class Blanks {
  readonly #options: BlanksOptions;
  readonly #waiting: Blank[] = [];
  readonly #rate = new StartRate();
  #forking = 0;
  /** Those from before this count of {@link renew} are not used any more. */
  #generation = 0;
  #state: 'open' | 'closed' = 'open';

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  constructor(options: BlanksOptions) {
    this.#options = options;
  }

  /** One for `sandbox`, which must be told what to become and then be given to {@link bound}. Rejects as {@link Blank.fork} does. */
  async take(sandbox: SandboxPlan | null): Promise<Blank> {
    const { root, sites, clock } = this.#options;
    if (sites === null || sandbox === null) return await Blank.fork(root, sandbox, false, clock);
    this.#rate.started(clock.monotonicMs());
    clock.after(REFILL_MS, () => void this.fill());
    return this.#next() ?? (await this.#fork(sites, false));
  }

  /**
   * Bounds it as `sandbox` says. Behind the order and not before it, since it takes as long as the process needs to wake up, and that
   * is bounded all the while, if not as wanted. Throws {@link ZygoteLost}, `start-failed` or `resources-exhausted` where the system refuses it: it must
   * be killed then.
   */
  bound({ plan }: Blank, sandbox: SandboxPlan | null): void {
    const { sites } = this.#options;
    if (sites === null || plan === null || sandbox === null) return;
    try {
      sites.bound(plan, sandbox);
    } catch (error) {
      // The group of one that has ended may keep what it held for a while: there are others.
      const wasUsed = sites.spoil(plan);
      // The file system's words; another group would meet the same.
      const [code] = /\b(?:EMFILE|ENFILE|ENOMEM)\b/.exec(messageOf(error)) ?? [];
      if (code !== undefined)
        throw resourcesExhausted(`"${sandbox.component}" could not be started`, code, error);
      if (wasUsed) throw new ZygoteLost();
      throw new FulcrumError(
        'start-failed',
        `"${sandbox.component}" could not be started: ${messageOf(error)}.`,
      );
    }
  }

  /** Sees to it that as many wait as starts are likely to need. */
  async fill(): Promise<void> {
    const { sites, clock, root } = this.#options;
    if (sites === null) return;
    const wanted = (): number => blanksFor(this.#rate.perS(clock.monotonicMs()));
    while (
      this.#state === 'open' &&
      root.state === 'warm' &&
      this.#waiting.length + this.#forking < wanted()
    ) {
      const generation = this.#generation;
      this.#forking++;
      try {
        const blank = await this.#fork(sites, true);
        if (this.#state !== 'open' || generation !== this.#generation) blank.dismiss();
        else this.#wait(blank);
      } catch {
        // A start will meet the same, and tell.
        return;
      } finally {
        this.#forking--;
      }
    }
  }

  /** Lets those go that are too many or too old. */
  tend(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const wanted = blanksFor(this.#rate.perS(nowMs));
    for (const surplus of this.#waiting.splice(wanted)) surplus.dismiss();
    if (this.#waiting.some(({ bornMs }) => nowMs - bornMs >= MAX_AGE_MS)) this.renew();
    // One may have ended while it waited.
    else void this.fill();
  }

  /** Something has changed that those which wait have not seen: others take their place. */
  renew(): void {
    this.#generation++;
    for (const blank of this.#waiting.splice(0)) blank.dismiss();
    void this.fill();
  }

  close(): void {
    this.#state = 'closed';
    for (const blank of this.#waiting.splice(0)) blank.dismiss();
  }

  /** The one that has waited longest, and is the most likely to be done with its part of the sandbox. */
  #next(): Blank | null {
    for (;;) {
      const blank = this.#waiting.shift();
      if (blank === undefined) return null;
      if (!blank.hasEnded) return blank;
    }
  }

  #wait(blank: Blank): void {
    this.#waiting.push(blank);
    void blank.ended.then(() => {
      const at = this.#waiting.indexOf(blank);
      if (at >= 0) this.#waiting.splice(at, 1);
    });
  }

  async #fork(sites: BlankSites, ahead: boolean): Promise<Blank> {
    const { root, clock } = this.#options;
    const plan = sites.take();
    try {
      const blank = await Blank.fork(root, plan, ahead, clock);
      void blank.ended.then(() => sites.giveBack(plan));
      return blank;
    } catch (error) {
      // Somebody may be on the way into its groups still.
      sites.spoil(plan);
      throw error;
    }
  }
}

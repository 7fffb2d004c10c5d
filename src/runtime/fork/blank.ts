import type { Clock } from '../../base/clock.ts';
import type { ProcessEnd } from '../process/managed-process.ts';
import { socketPair } from '../native/descriptors.ts';
import type { BlankPlan } from '../sandbox/plan.ts';
import { Forker, type Ended } from './forker.ts';
import type { BecomeOrder, Report } from './orders.ts';
import { ZygoteLost } from './zygote-lost.ts';

/** The root zygote that it is forked from. */
export interface BlankParent {
  readonly forker: Forker;
  readonly state: 'warming' | 'warm' | 'closed';
  pidOf(inner: number): Promise<number | null>;
}

/** A blank zygote, at the server's side: a process that waits inside namespaces and control groups until it is told whose it is. */
export class Blank {
  /** In this process' count. */
  readonly pid: number;
  readonly forker: Forker;
  readonly plan: BlankPlan | null;
  /** Resolves when its process is gone. */
  readonly ended: Promise<void>;
  readonly bornMs: number;
  #end: { readonly end: ProcessEnd; readonly lost: boolean } | null = null;
  #onEnded: Ended = () => undefined;
  #onReport: (report: Report) => void = () => undefined;

  /** Rejects with {@link ZygoteLost} where it, or its root zygote, ended as it began, and with what kept that from forking. */
  static async fork(root: BlankParent, plan: BlankPlan | null, ahead: boolean, clock: Clock): Promise<Blank> {
    const [server, own] = socketPair();
    // It says nothing before it has become somebody's.
    let told = (_report: Report): void => undefined;
    const forker = new Forker(server, clock, (report) => told(report));
    try {
      const inner = await root.forker.fork({ do: 'blank', id: root.forker.nextId(), plan, ahead }, [own]);
      const pid = await root.pidOf(inner);
      if (pid === null) throw new ZygoteLost();
      const blank = new Blank(pid, forker, plan, clock.monotonicMs(), (ended) =>
        root.forker.whenEnded(inner, ended),
      );
      told = (report) => blank.#onReport(report);
      return blank;
    } catch (error) {
      forker.close();
      throw error;
    }
  }

  private constructor(
    pid: number,
    forker: Forker,
    plan: BlankPlan | null,
    bornMs: number,
    whenEnded: (ended: Ended) => void,
  ) {
    this.pid = pid;
    this.forker = forker;
    this.plan = plan;
    this.bornMs = bornMs;
    this.ended = new Promise((resolve) => {
      whenEnded((end, lost) => {
        this.#end = { end, lost };
        this.#onEnded(end, lost);
        resolve();
      });
    });
  }

  get hasEnded(): boolean {
    return this.#end !== null;
  }

  /**
   * Makes it one revision's.
   * @param descriptors its wire, stdout and stderr; closed here.
   */
  become(
    what: Omit<BecomeOrder, 'do'>,
    descriptors: readonly number[],
    onReport: (report: Report) => void,
  ): void {
    this.#onReport = onReport;
    this.forker.order({ do: 'become', ...what }, descriptors);
  }

  /** Calls `ended` once, when its process has; at once where that is so. */
  whenEnded(ended: Ended): void {
    this.#onEnded = ended;
    if (this.#end !== null) ended(this.#end.end, this.#end.lost);
  }

  /** It ends by itself when nobody can tell it anything any more. Only while it is blank. */
  dismiss(): void {
    this.forker.close();
  }
}

import type { Clock } from '../../base/clock.ts';
import type { ProcessEnd } from '../process/managed-process.ts';
import { socketPair } from '../native/descriptors.ts';
import type { BlankPlan } from '../sandbox/plan.ts';
import type { ForkEnds } from './fork-ends.ts';
import { ForkedProcess } from './forked-process.ts';
import { Forker, type Ended } from './forker.ts';
import type { BecomeOrder, Report } from './orders.ts';
import { ZygoteLost } from './zygote-lost.ts';

/** The root zygote that it is forked from. */
export interface BlankParent {
  readonly forker: Forker;
  readonly state: 'warming' | 'warm' | 'closed';
  pidOf(inner: number): Promise<number | null>;
}

/** Where what comes from a blank goes once it is somebody's. */
interface Becoming {
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
  readonly onReport: (report: Report) => void;
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
  readonly #clock: Clock;
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
      const blank = new Blank(pid, forker, plan, clock, (ended) => root.forker.whenEnded(inner, ended));
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
    clock: Clock,
    whenEnded: (ended: Ended) => void,
  ) {
    this.pid = pid;
    this.forker = forker;
    this.plan = plan;
    this.bornMs = clock.monotonicMs();
    this.#clock = clock;
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
   * Makes it one revision's, born with `ends`. Gives its process as it is from now on: what it prints goes to `onLine`. One that has ended
   * already says so.
   */
  become(what: Omit<BecomeOrder, 'do'>, ends: ForkEnds, { onLine, onReport }: Becoming): ForkedProcess {
    const { stdout, stderr } = ends;
    const child = new ForkedProcess({ pid: this.pid, stdout, stderr, onLine, clock: this.#clock });
    this.#onReport = onReport;
    this.forker.order({ do: 'become', ...what }, ends.take());
    this.#onEnded = (end, lost) => {
      if (lost) child.kill();
      child.exited(end);
    };
    if (this.#end !== null) this.#onEnded(this.#end.end, this.#end.lost);
    return child;
  }

  /** It ends by itself when nobody can tell it anything any more. Only while it is blank. */
  dismiss(): void {
    this.forker.close();
  }
}

import { existsSync } from 'node:fs';
import type { Clock } from '../../base/clock.ts';
import type { StartOrder } from '../../model/instance.ts';
import type { CodeRevision } from '../../model/revision.ts';
import type { ProcessEnd } from '../process/managed-process.ts';
import { sandboxEnv } from '../sandbox/environment.ts';
import type { SandboxPlan } from '../sandbox/plan.ts';
import type { WireConnection } from '../wire/connection.ts';
import { PROTOCOL_MINOR } from '../wire/frames.ts';
import { groupMembers } from '../wire/group-members.ts';
import { InstanceLog } from '../wire/instance-log.ts';
import { initFor, startFailed, whenReady } from '../wire/introduce.ts';
import type { Init, Ready } from '../wire/messages.ts';
import { OutboundCalls } from '../wire/outbound-calls.ts';
import { Session } from '../wire/session.ts';
import { WireInstance } from '../wire/wire-instance.ts';
import { randomText } from '../../base/ids.ts';
import { isFit, type Fork } from './fork.ts';
import { makeForkEnds, type ForkEnds } from './fork-ends.ts';
import { ForkedProcess } from './forked-process.ts';
import type { Forker } from './forker.ts';
import { hostPid } from './host-pid.ts';
import type { Report } from './orders.ts';
import type { Root } from './root.ts';
import { SILENT } from './silent.ts';
import { sparesFor, StartRate } from './spares.ts';
import { wireOver } from './wire-over.ts';
import { ZygoteLost } from './zygote-lost.ts';

export interface ZygoteOptions {
  readonly root: Root;
  readonly revision: CodeRevision;
  readonly order: StartOrder;
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly sandbox: SandboxPlan | null;
  readonly compileCacheFolder: string | null;
  /** Whether instances may be forked before they are asked for. */
  readonly keepsSpares: boolean;
  /** Its last instance has ended. */
  readonly onIdle: () => void;
}

/** Of an instance's own folder below /tmp, which no sibling can guess. */
const FOLDER_LETTERS = 12;
/** A zygote that has not forked in this time never will: it has stopped, or is busy with something else. */
const ANSWER_MS = 10_000;
/** After a spare was given out: its request comes first. */
const REFILL_MS = 2;

type LoadedReport = Extract<Report, { said: 'loaded' }>;

/**
 * A revision's zygote, at the server's side. States, and what leads from one to the next:
 *
 *   loading ──module loaded──▶ ready ──end(), kill(), crash──▶ ended
 *      └──── failed, kill(), unsuited ────────────────────────▶
 *
 * `loaded` tells how loading went. Instances are forked in `ready` only, and end with it.
 */
export class Zygote {
  /** Why its instances must be made by another engine; null where they need not. Rejects with `start-failed`, or ZygoteLost. */
  readonly loaded: Promise<string | null>;
  /** Resolves when its process is gone. */
  readonly ended: Promise<void>;
  readonly lines: InstanceLog;
  readonly #options: ZygoteOptions;
  readonly #ended = Promise.withResolvers<void>();
  readonly #report = Promise.withResolvers<LoadedReport>();
  #state: 'loading' | 'ready' | 'ended' = 'loading';
  #process: ForkedProcess | null = null;
  #forker: Forker | null = null;
  #ready: Ready | null = null;
  /** Instances say when they are ready; without `onStart` they are as soon as they are forked. */
  #starts = false;
  /** Instances, those that are being forked included. */
  #living = 0;
  /** Forked, and not given out. */
  readonly #spares: Fork[] = [];
  #refilling = 0;
  readonly #rate = new StartRate();
  #lastUsedMs: number;

  constructor(options: ZygoteOptions) {
    const { clock, order, revision } = options;
    this.#options = options;
    this.#lastUsedMs = clock.monotonicMs();
    this.lines = InstanceLog.of(revision, null, order.home.log, clock);
    this.ended = this.#ended.promise;
    this.#report.promise.catch(() => undefined);
    this.loaded = this.#load();
    this.loaded.catch(() => undefined);
  }

  get state(): 'loading' | 'ready' | 'ended' {
    return this.#state;
  }

  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** How long it has had no instance, and made none; null where it has one, or is no longer or not yet there. */
  idleMs(): number | null {
    if (this.#living > 0 || this.#state !== 'ready') return null;
    return this.#options.clock.monotonicMs() - this.#lastUsedMs;
  }

  /** Ends spares that nobody is likely to ask for any more. */
  tend(): void {
    const wanted = this.#wanted(this.#options.clock.monotonicMs());
    for (const spare of this.#spares.splice(wanted)) spare.process.kill();
  }

  /**
   * An instance, whose lines go to `lines`: a spare, or one that is forked now. Rejects with ZygoteLost where this zygote has
   * ended, with `start-failed`, and as `stop` does.
   */
  async fork(order: StartOrder, lines: InstanceLog, stop: Promise<never>): Promise<WireInstance> {
    const { revision, clock } = this.#options;
    if (this.#state !== 'ready') throw new ZygoteLost();
    this.#rate.started(clock.monotonicMs());
    this.#living++;
    let fork: Fork;
    try {
      fork = this.#spare() ?? (await this.#forkOne());
    } catch (error) {
      this.#oneLess();
      throw error;
    }
    fork.state = 'given';
    fork.lines = lines;
    void fork.process.ended.then(() => this.#oneLess());
    if (this.#options.keepsSpares) clock.after(REFILL_MS, () => void this.#refill());
    if (this.#starts) {
      try {
        await Promise.race([whenReady(fork.session, revision, fork.process), stop]);
      } catch (error) {
        fork.process.kill();
        fork.connection.destroy();
        await fork.process.ended;
        throw error;
      }
    }
    const { process, connection, session } = fork;
    const ready = this.#ready!;
    return new WireInstance({
      engine: 'fork',
      order,
      process,
      connection,
      session,
      ready,
      lines,
      minor: PROTOCOL_MINOR,
      clock,
    });
  }

  async #forkOne(): Promise<Fork> {
    const { clock } = this.#options;
    const [zygote, forker] = [this.#process, this.#forker];
    if (this.#state !== 'ready' || zygote === null || forker === null) throw new ZygoteLost();
    const ends = makeForkEnds();
    const fork: Pick<Fork, 'lines'> = { lines: this.lines };
    const { connection, session } = this.#wire(ends, null, () => fork.lines);
    let inner: number;
    const silent = clock.after(ANSWER_MS, () => this.kill());
    try {
      inner = await forker.fork(
        { do: 'instance', id: forker.nextId(), folder: randomText(FOLDER_LETTERS) },
        ends.take(),
      );
    } catch (error) {
      connection.destroy();
      ends.drop();
      throw error;
    } finally {
      silent.cancel();
    }
    let pid: number | null;
    try {
      pid = await hostPid(zygote.pid, inner, () => this.#state === 'ready' && !forker.hasEnded(inner));
    } catch (error) {
      forker.signal(inner, 'SIGKILL');
      connection.destroy();
      ends.drop();
      throw error;
    }
    if (pid === null) {
      connection.destroy();
      ends.drop();
      // It was killed as it began, or its zygote was: another may be forked.
      throw new ZygoteLost();
    }
    const process = new ForkedProcess({
      pid,
      stdout: ends.stdout,
      stderr: ends.stderr,
      onLine: (stream, text) => fork.lines.raw(stream, text),
      clock,
    });
    forker.whenEnded(inner, (end, lost) => {
      if (lost) this.#orphaned(process);
      else process.exited(end);
    });
    return Object.assign(fork, { process, connection, session, state: 'spare' as const });
  }

  /** The spare that has waited longest. */
  #spare(): Fork | null {
    for (;;) {
      const spare = this.#spares.shift();
      if (spare === undefined) return null;
      if (isFit(spare)) return spare;
      spare.process.kill();
    }
  }

  async #refill(): Promise<void> {
    const { clock } = this.#options;
    while (
      this.#state === 'ready' &&
      this.#spares.length + this.#refilling < this.#wanted(clock.monotonicMs())
    ) {
      this.#refilling++;
      try {
        const spare = await this.#forkOne();
        // One that ends unasked failed in `onStart`, say, and the next start will tell.
        void spare.process.ended.then(() => {
          const at = this.#spares.indexOf(spare);
          if (at < 0) return;
          this.#spares.splice(at, 1);
          spare.connection.destroy();
        });
        this.#spares.push(spare);
        void spare.session.introduced.then(({ kind }) => {
          if (kind === 'init-failed') spare.process.kill();
        });
      } catch {
        return;
      } finally {
        this.#refilling--;
      }
    }
  }

  #wanted(nowMs: number): number {
    return sparesFor(this.#rate.perS(nowMs));
  }

  #oneLess(): void {
    this.#living--;
    this.#lastUsedMs = this.#options.clock.monotonicMs();
    if (this.#living === 0) this.#options.onIdle();
  }

  /** The zygote has ended, and so will `child`: the kernel sees to that, but not to what it has begun. */
  #orphaned(child: ForkedProcess): void {
    child.kill();
    const { root, sandbox } = this.#options;
    if (sandbox?.ownProcesses === true) {
      // The first of a process tree is gone only when all of the tree are.
      void this.ended.then(() => child.exited({ exitCode: null, signal: 'SIGKILL' }));
    } else {
      // The root zygote inherits it.
      root.forker.whenEnded(child.pid, (end) => child.exited(end));
      // Unless the zygote had reaped it, and ended before it could say so.
      void this.ended.then(() => {
        if (!existsSync(`/proc/${child.pid}`)) child.exited({ exitCode: null, signal: 'SIGKILL' });
      });
    }
  }

  /** Ends it and its instances, now. */
  kill(): void {
    this.#process?.kill();
    this.#forker?.close();
    if (this.#process === null) this.#over();
  }

  async #load(): Promise<string | null> {
    const { root, revision, sandbox, compileCacheFolder, order, baseEnv } = this.#options;
    try {
      await root.warm;
    } catch (error) {
      this.#over();
      throw error;
    }
    if (this.#state === 'ended') throw new ZygoteLost();
    const ends = makeForkEnds();
    const { connection, session } = this.#wire(
      ends,
      initFor(order, revision, sandboxEnv(baseEnv, sandbox), PROTOCOL_MINOR),
      () => this.lines,
    );
    try {
      const blank = await root.blanks.take(sandbox);
      this.#forker = blank.forker;
      // Known before its process is gone: nothing can be asked of it from now on.
      void blank.forker.closed.then(() => {
        this.#state = 'ended';
        // Whatever closed it: nobody could ask it to end any more.
        this.#process?.kill();
      });
      const child = (this.#process = blank.become({ sandbox, compileCacheFolder, alone: false }, ends, {
        onLine: (stream, text) => this.lines.raw(stream, text),
        onReport: (report) => {
          if (report.said === 'loaded') this.#report.resolve(report);
        },
      }));
      void child.ended.then(() => this.#over());
      root.blanks.bound(blank, sandbox);
      // Whoever gave it up while it was forked.
      if ((this.#state as string) === 'ended') child.kill();
      return await this.#whenLoaded(session, child);
    } catch (error) {
      connection.destroy();
      ends.drop();
      this.kill();
      await this.ended;
      throw error;
    }
  }

  async #whenLoaded(session: Session, child: ForkedProcess): Promise<string | null> {
    const { revision } = this.#options;
    const why = ({ exitCode, signal }: ProcessEnd): string => signal ?? `exit code ${exitCode ?? 0}`;
    const gone = child.ended.then((end: ProcessEnd) => {
      // Killed by a system short of memory, say: that need not be the module's doing.
      throw end.signal === 'SIGKILL'
        ? new ZygoteLost()
        : startFailed(revision, `its zygote ended (${why(end)})`);
    });
    gone.catch(() => undefined);
    try {
      this.#ready = await whenReady(session, revision, child);
    } catch (error) {
      if (child.hasEnded && (await child.ended).signal === 'SIGKILL') throw new ZygoteLost();
      throw error;
    }
    const { unsuited, starts, warnings } = await Promise.race([this.#report.promise, gone]);
    for (const text of warnings) this.#tell('warn', text);
    this.lines.started();
    this.#starts = starts;
    if (unsuited === null && this.#state === 'loading') this.#state = 'ready';
    return unsuited;
  }

  #wire(
    ends: ForkEnds,
    init: Init | null,
    lines: () => InstanceLog,
  ): { connection: WireConnection; session: Session } {
    const { clock, order, revision } = this.#options;
    const connection = wireOver(ends.takeWire(), { side: 'server', clock, handler: SILENT });
    const members = groupMembers(revision);
    const calls = new OutboundCalls(revision.spec.name, connection, order.home, clock, members);
    const session = new Session(connection, init, calls, (line) => lines().line(line), members);
    return { connection, session };
  }

  #tell(level: 'warn', text: string): void {
    const { order, clock, revision } = this.#options;
    order.home.log.write({
      atMs: clock.nowMs(),
      component: revision.spec.name,
      stream: 'platform',
      level,
      text,
      instance: null,
      revision: revision.id,
      requestId: null,
      fields: null,
    });
  }

  #over(): void {
    this.#state = 'ended';
    this.#forker?.close();
    this.#ended.resolve();
  }
}

import type { Clock } from '../../base/clock.ts';
import type { StartOrder } from '../../model/instance.ts';
import type { CodeRevision } from '../../model/revision.ts';
import { sandboxEnv } from '../sandbox/environment.ts';
import type { SandboxPlan } from '../sandbox/plan.ts';
import { PROTOCOL_MINOR } from '../wire/frames.ts';
import { groupMembers } from '../wire/group-members.ts';
import type { InstanceLog } from '../wire/instance-log.ts';
import { initFor, whenReady } from '../wire/introduce.ts';
import type { Ready } from '../wire/messages.ts';
import { OutboundCalls } from '../wire/outbound-calls.ts';
import { Session } from '../wire/session.ts';
import { WireInstance } from '../wire/wire-instance.ts';
import type { Blank } from './blank.ts';
import { makeForkEnds } from './fork-ends.ts';
import type { Root } from './root.ts';
import { wireOver } from './wire-over.ts';
import { SILENT } from './silent.ts';
import { ZygoteLost } from './zygote-lost.ts';

export interface AloneOptions {
  readonly root: Root;
  readonly revision: CodeRevision;
  readonly order: StartOrder;
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly lines: InstanceLog;
  readonly sandbox: SandboxPlan | null;
  readonly compileCacheFolder: string | null;
  /** Rejects when it is given up. */
  readonly stop: Promise<never>;
}

/**
 * An instance of a function of which nothing is to stay: a blank zygote loads the module and serves by itself. Rejects with
 * ZygoteLost where that ended through no fault of the module's, with `start-failed`, and as `stop` does.
 */
export async function startAlone(options: AloneOptions): Promise<WireInstance> {
  const { root, revision, order, baseEnv, clock, lines, sandbox, compileCacheFolder } = options;
  await root.warm;
  const ends = makeForkEnds();
  const connection = wireOver(ends.takeWire(), { side: 'server', clock, handler: SILENT });
  const members = groupMembers(revision);
  const calls = new OutboundCalls(revision.spec.name, connection, order.home, clock, members);
  const init = initFor(order, revision, sandboxEnv(baseEnv, sandbox), PROTOCOL_MINOR);
  const session = new Session(connection, init, calls, (line) => lines.line(line), members);
  let blank: Blank;
  try {
    blank = await root.blanks.take(sandbox);
  } catch (error) {
    connection.destroy();
    ends.drop();
    throw error;
  }
  const process = blank.become({ sandbox, compileCacheFolder, alone: true }, ends, {
    onLine: (stream, text) => lines.raw(stream, text),
    // It says nothing on that socket: what it forks is its own business.
    onReport: () => undefined,
  });
  let ready: Ready;
  try {
    root.blanks.bound(blank, sandbox);
    ready = await Promise.race([whenReady(session, revision, process), options.stop]);
  } catch (error) {
    // Killed by a system short of memory, say: that need not be the module's doing.
    const lost = process.hasEnded && (await process.ended).signal === 'SIGKILL';
    process.kill();
    connection.destroy();
    await process.ended;
    throw lost ? new ZygoteLost() : error;
  }
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

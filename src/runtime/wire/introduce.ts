import type { Clock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import { resourcesExhausted } from '../../base/exhausted.ts';
import type { ModuleSpec } from '../../model/app.ts';
import type { Engine, StartOrder } from '../../model/instance.ts';
import { filesRootOf, type CodeRevision, type ModuleRevision } from '../../model/revision.ts';
import { groupMembers, unitText } from './group-members.ts';
import type { InstanceLog } from './instance-log.ts';
import type { Admitted } from './listener.ts';
import type { Init, InitMember, Ready } from './messages.ts';
import { OutboundCalls } from './outbound-calls.ts';
import { ranOutOfThreads } from '../process/out-of-threads.ts';
import { describeEnd, ranOutOfHeap } from './process-end.ts';
import { Session } from './session.ts';
import { WireInstance, type InstanceProcess } from './wire-instance.ts';

export interface IntroduceOptions {
  readonly engine: Engine;
  readonly order: StartOrder;
  readonly revision: CodeRevision;
  readonly process: InstanceProcess;
  readonly admitted: Promise<Admitted>;
  readonly lines: InstanceLog;
  readonly baseEnv: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

/**
 * Takes a process that has just begun to the point where it is an instance: waits for its connection, tells it what to
 * run, waits until it has loaded that. Sets no time limit and kills nothing: its caller does.
 * Rejects with `start-failed`, or `resources-exhausted`; where the module threw, `details.stack` is the error's stack.
 */
export async function introduce(options: IntroduceOptions): Promise<WireInstance> {
  const { order, revision, process, clock } = options;
  const { connection, minor } = await Promise.race([options.admitted, endedEarly(revision, process)]);
  const init = initFor(order, revision, options.baseEnv, minor);
  const members = groupMembers(revision);
  const calls = new OutboundCalls(revision.spec.name, connection, order.home, clock, members);
  const session = new Session(connection, init, calls, (line) => options.lines.line(line), members);
  const ready = await whenReady(session, revision, process);
  const { engine, lines } = options;
  return new WireInstance({ engine, order, process, connection, session, ready, lines, minor, clock });
}

export function initFor(
  order: StartOrder,
  revision: CodeRevision,
  baseEnv: Readonly<Record<string, string>>,
  minor: number,
): Init {
  return {
    minor,
    component: revision.spec.name,
    instance: order.instanceId,
    revision: revision.id,
    mode: order.mode,
    concurrency: order.concurrency,
    memoryBytes: order.memoryBytes,
    ...(revision.kind === 'group'
      ? { bundlePath: '', members: revision.members.map((member) => initMember(member, order)) }
      : { bundlePath: revision.bundle.path, bindings: bindingsOf(revision.spec, order) }),
    filesRoot: filesRootOf(revision),
    baseEnv: { ...baseEnv, ...order.home.env },
    env: revision.env,
  };
}

function initMember({ spec, bundle, env }: ModuleRevision, order: StartOrder): InitMember {
  return {
    component: spec.name,
    bundlePath: bundle.path,
    env,
    calls: spec.calls,
    bindings: bindingsOf(spec, order),
    timeoutMs: spec[order.mode].timeoutMs,
  };
}

/** The others that it may call. */
function bindingsOf({ name, calls }: ModuleSpec, { home }: StartOrder): string[] {
  return home.components().filter((other) => other !== name && (calls?.includes(other) ?? true));
}

/** What the process said when it had loaded its module, or modules. Rejects as {@link introduce} does. */
export async function whenReady(
  session: Session,
  revision: CodeRevision,
  process: StartingProcess,
): Promise<Ready> {
  const introduction = await session.introduced;
  switch (introduction.kind) {
    case 'lost':
      if (introduction.error !== null) throw startFailed(revision, introduction.error.message);
      return await endedEarly(revision, process);
    case 'init-failed': {
      const { thrown, member } = introduction;
      const what = `${member === null ? '' : `its component "${member}": `}${thrown.name}: ${thrown.message}`;
      // Said by our own code before the module was loaded; of a module's own descriptors the code would be the system's.
      if (thrown.code === 'resources-exhausted')
        throw resourcesExhausted(
          `${unitText(revision)} could not be started`,
          thrown.cause?.code ?? 'ENOMEM',
        );
      throw new FulcrumError('start-failed', `${unitText(revision)} could not be started: ${what}`, {
        cause: thrown,
        details: { stack: thrown.stack ?? what },
      });
    }
    case 'ready':
      return introduction.ready;
  }
}

type StartingProcess = Pick<InstanceProcess, 'ended' | 'lastOutput'>;

async function endedEarly(revision: CodeRevision, process: StartingProcess): Promise<never> {
  const end = await process.ended;
  if (ranOutOfThreads(end, process.lastOutput()))
    throw resourcesExhausted(`${unitText(revision)} could not be started`, 'EAGAIN');
  const heap = ranOutOfHeap(end, process.lastOutput()) ? ': it ran out of memory. Raise `memory`' : '';
  throw startFailed(revision, `its process ended while it loaded (${describeEnd(end)})${heap}`);
}

export function startFailed(revision: CodeRevision, why: string): FulcrumError {
  return new FulcrumError('start-failed', `${unitText(revision)} could not be started: ${why}.`);
}

import type { WireConnection } from '../wire/connection.ts';
import type { InstanceLog } from '../wire/instance-log.ts';
import type { Session } from '../wire/session.ts';
import type { ForkedProcess } from './forked-process.ts';

/** A process that a function's zygote has forked: a spare until it is given out, then an instance's. */
export interface Fork {
  readonly process: ForkedProcess;
  readonly connection: WireConnection;
  readonly session: Session;
  /** Where what it says goes: the zygote's own log until it is given out. */
  lines: InstanceLog;
  state: 'spare' | 'given';
}

/** Whether it could serve: it may have been killed, or have failed in `onStart`, while it waited. */
export function isFit(fork: Fork): boolean {
  return !fork.process.hasEnded && fork.connection.state === 'open';
}

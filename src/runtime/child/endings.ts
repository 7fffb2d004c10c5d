import { writeSync } from 'node:fs';
import type { ThrownError } from '../../model/invocation.ts';
import type { WireConnection } from '../wire/connection.ts';
import { FRAME } from '../wire/frames.ts';
import { thrownByAuthor } from './author-errors.ts';
import { sendLine } from './instance.ts';
import { stackOf } from './invocation.ts';
import type { Link } from './link.ts';

/**
 * Without its server an instance is an orphan: it ends, with all that it has started, and without a last word of the author's code.
 * @param end how, where a signal of its own would not do it.
 */
export function dieWithServer(
  connection: WireConnection,
  end: () => void = () => void process.kill(process.pid, 'SIGKILL'),
): void {
  void connection.closed.then(() => {
    try {
      process.kill(-process.pid, 'SIGKILL');
    } catch {
      // It leads no group of its own.
    }
    end();
  });
}

interface Fault {
  /** What is loaded now is this member's of a group. */
  loads(member: string | null): void;
  loaded(): void;
}

/**
 * An error that nobody has caught ends the process with exit code 1, as Node's own default does; but it is logged as one
 * entry, of the request that it belongs to. An author's own handler for it takes precedence, as it would without us.
 */
export function endOnFault(link: Link): Fault {
  let state: 'loading' | 'loaded' = 'loading';
  let member: string | null = null;
  process.on('uncaughtException', (error: unknown, origin) => {
    if (process.listenerCount('uncaughtException') > 1) return;
    const { connection } = link;
    if (state === 'loading') connection.writer.json(FRAME.INIT_FAILED, 0, 0, initFailure(error, member));
    const what = origin === 'unhandledRejection' ? 'Unhandled rejection' : 'Uncaught exception';
    const text = `${what}, which ends the instance: ${stackOf(error)}`;
    sendLine(connection, null, 'stderr', 'error', text);
    connection.flush();
    // The socket is full: the pipe is read until the process' end.
    if (connection.bufferedBytes > 0) writeSync(2, `${text}\n`);
    process.exit(1);
  });
  return {
    loads: (name) => {
      member = name;
    },
    loaded: () => {
      state = 'loaded';
    },
  };
}

/** Why a module could not be loaded. @param member whose it is; null where the process holds one component. */
export function initFailure(
  error: unknown,
  member: string | null,
): ThrownError & { readonly member?: string } {
  return { ...thrownByAuthor(error), ...(member !== null && { member }) };
}

/** SIGTERM: the process ends when `end` says that all is finished. The server sets the limit to that. */
export function endOnSignal(end: (ended: () => void) => void): void {
  process.on('SIGTERM', () => end(() => process.exit(0)));
  // From a terminal it reaches the whole foreground; the server decides what that means for its instances.
  process.on('SIGINT', () => undefined);
}

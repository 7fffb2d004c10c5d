import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FIRST_FD = 3;
const NOTIFY_LIMIT_MS = 5_000;

/** A socket that whoever started us listens on already. */
export interface InheritedSocket {
  readonly fd: number;
  /** What it is for; empty where nobody says. */
  readonly name: string;
}

/** The sockets that systemd has passed to this process: sd_listen_fds(3). @param pid our own. */
export function inheritedSockets(env: NodeJS.ProcessEnv, pid: number): InheritedSocket[] {
  const count = Number(env['LISTEN_FDS'] ?? '');
  if (Number(env['LISTEN_PID'] ?? '') !== pid || !Number.isSafeInteger(count) || count < 1) return [];
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  return Array.from({ length: Math.min(count, 16) }, (_, i) => ({ fd: FIRST_FD + i, name: names[i] ?? '' }));
}

/**
 * Tells systemd how we are: sd_notify(3). Node has no datagram sockets of the Unix kind, so `systemd-notify` sends it; the unit has
 * `NotifyAccess=all` for that. Does nothing where no service manager listens. Never rejects.
 */
export async function tellServiceManager(
  env: NodeJS.ProcessEnv,
  ...assignments: readonly string[]
): Promise<void> {
  const socket = env['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return;
  await run('systemd-notify', assignments, {
    env: { PATH: env['PATH'] ?? '/usr/bin:/bin', NOTIFY_SOCKET: socket },
    timeout: NOTIFY_LIMIT_MS,
  }).catch(() => undefined);
}

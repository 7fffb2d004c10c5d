import { FulcrumError } from '../base/errors.ts';

/** A socket that whoever started us listens on for us. */
export interface ListenFd {
  readonly fd: number;
  /** What its unit calls it (`FileDescriptorName=`); empty where it has no name. */
  readonly name: string;
}

/** The first that is passed (`SD_LISTEN_FDS_START`). */
const FIRST_FD = 3;
const MAX_FDS = 64;
const NUMBER = /^\d{1,10}$/;

/**
 * The listening sockets that systemd, or whoever speaks its protocol, has passed (sd_listen_fds(3)): `LISTEN_FDS` says how many there are
 * from 3 on, `LISTEN_PID` for whom they are, `LISTEN_FDNAMES` how they are called. Empty where there are none, or they are for another
 * process. Changes nothing: whoever starts others must keep the three from them. Throws `config-invalid` for what is no number, more
 * sockets than can be, or another number of names.
 */
export function listenFds(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly ListenFd[] {
  const { LISTEN_FDS: count, LISTEN_PID: owner, LISTEN_FDNAMES: names } = env;
  if (count === undefined || owner === undefined) return [];
  if (!NUMBER.test(owner)) throw wrong('LISTEN_PID', owner, 'a process id');
  if (Number(owner) !== pid) return [];
  if (!NUMBER.test(count) || Number(count) > MAX_FDS) {
    throw wrong('LISTEN_FDS', count, `a number of sockets, at most ${MAX_FDS}`);
  }
  const called = names === undefined ? [] : names.split(':');
  if (names !== undefined && called.length !== Number(count)) {
    throw wrong('LISTEN_FDNAMES', names, `${count} names with colons between`);
  }
  return Array.from({ length: Number(count) }, (_, i) => ({ fd: FIRST_FD + i, name: called[i] ?? '' }));
}

function wrong(name: string, found: string, expected: string): FulcrumError {
  const shown = found.length > 100 ? `${found.slice(0, 100)}…` : found;
  return new FulcrumError('config-invalid', `${name} is '${shown}', and should be ${expected}.`);
}

import type { FulcrumError } from '../base/errors.ts';

/** What the command's exit status says; part of its contract, shown by `fulcrum --help`. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  noServer: 3,
  invocationFailed: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `Exit codes:
  0    it went well
  1    it failed
  2    the command was not understood
  3    no running server was found, or it does not answer
  4    the invocation did not end well (the handler's error, a timeout, …)
  130  interrupted`;

export function exitCodeOf(error: FulcrumError): ExitCode {
  if (error.code === 'usage') return EXIT.usage;
  if (error.code === 'server-unreachable') return EXIT.noServer;
  return EXIT.failed;
}

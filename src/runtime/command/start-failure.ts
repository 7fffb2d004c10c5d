import { formatDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { ProcessEnd } from '../process/managed-process.ts';
import type { Listener } from './listening.ts';

/** Why a start failed. `exited`: it ended first · `silent`: its time passed. */
export type StartProblem =
  | { readonly kind: 'exited'; readonly end: ProcessEnd }
  | {
      readonly kind: 'silent';
      readonly limitMs: number;
      /** Where else the program listens; null where that cannot be told. */
      readonly listeners: readonly Listener[] | null;
      /** What the last probe found. */
      readonly reason: string;
    };

export interface StartFacts {
  readonly component: string;
  readonly command: string;
  readonly port: number;
  /** The last lines that the program wrote. */
  readonly output: string;
}

const COMMAND_NOT_EXECUTABLE = 126;
const COMMAND_NOT_FOUND = 127;

/** A `start-failed` that names what happened and what to do; output, port and exit code are in its details. */
export function startFailed(facts: StartFacts, problem: StartProblem): FulcrumError {
  const end = problem.kind === 'exited' ? problem.end : null;
  return new FulcrumError('start-failed', `The component "${facts.component}" ${sentence(facts, problem)}`, {
    details: {
      command: facts.command,
      port: facts.port,
      exitCode: end?.exitCode ?? null,
      signal: end?.signal ?? null,
      output: facts.output,
    },
  });
}

function sentence(facts: StartFacts, problem: StartProblem): string {
  const { port } = facts;
  if (problem.kind === 'exited') {
    const how = describeEnd(problem.end);
    const hint =
      problem.end.exitCode === COMMAND_NOT_FOUND
        ? " The shell did not find the program; PATH is the server's own."
        : problem.end.exitCode === COMMAND_NOT_EXECUTABLE
          ? ' The shell found the program, but may not execute it.'
          : '';
    return `ended with ${how} before it listened on $PORT (${port}).${hint}`;
  }
  const limit = formatDuration(problem.limitMs);
  const listeners = problem.listeners ?? [];
  const elsewhere = listeners.filter((listener) => listener.port !== port);
  if (listeners.some((listener) => listener.port === port)) {
    const addresses = listeners.filter((listener) => listener.port === port).map(({ address }) => address);
    if (addresses.some(reachableFromLoopback)) {
      return `listens on $PORT (${port}), but was not healthy within ${limit}: ${problem.reason}.`;
    }
    return `listens on $PORT (${port}), but on no loopback address (only ${addresses.join(', ')}). Listen on 127.0.0.1, which $HOST says.`;
  }
  if (elsewhere.length > 0) {
    const ports = [...new Set(elsewhere.map((listener) => listener.port))].join(', ');
    return `listens on ${ports}, not on $PORT (${port}), after ${limit}. Make it listen on the port that the environment variable PORT gives.`;
  }
  return `did not listen on $PORT (${port}) within ${limit}: ${problem.reason}. Make it listen on the port that the environment variable PORT gives.`;
}

function reachableFromLoopback(address: string): boolean {
  return ['127.0.0.1', '0.0.0.0', '::1', '::'].includes(address);
}

/** `exit code 1`, `signal SIGKILL`. */
export function describeEnd(end: ProcessEnd): string {
  return end.signal === null ? `exit code ${end.exitCode ?? 'unknown'}` : `signal ${end.signal}`;
}

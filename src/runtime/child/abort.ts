import { ERRORS, type ErrorCode } from '../../base/errors.ts';

/** Why an invocation was given up. */
export interface Abort {
  readonly code: ErrorCode;
  /** What whoever called for it within the process is told, as it would be from another. */
  readonly message: string;
  /** What its signal aborts with. */
  readonly reason: DOMException;
}

/** Who it is that is given up, and how long it had. */
interface GivenUp {
  readonly component: string;
  readonly lastsMs: number;
}

/** @param code as the server has sent it. */
export function abortOf(code: string, of: GivenUp): Abort {
  const known = Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'client-gone';
  return { code: known, message: messageOf(code, of), reason: reasonOf(code) };
}

export function overdueText({ component, lastsMs }: GivenUp): string {
  return `Component "${component}" did not answer within ${Math.round(Math.max(lastsMs, 0))} ms. Make it faster, or raise its timeout.`;
}

function messageOf(code: string, of: GivenUp): string {
  switch (code) {
    case 'timeout':
      return overdueText(of);
    case 'shutting-down':
      return 'The server shut down before this was finished.';
    default:
      return 'The caller went away.';
  }
}

function reasonOf(code: string): DOMException {
  switch (code) {
    case 'timeout':
      return new DOMException('The invocation has taken longer than its timeout allows.', 'TimeoutError');
    case 'client-gone':
      return new DOMException('The client went away.', 'AbortError');
    case 'shutting-down':
      return new DOMException('The instance is to end.', 'AbortError');
    default:
      return new DOMException(`The invocation was given up (${code}).`, 'AbortError');
  }
}

import { STATUS_CODES } from 'node:http';
import type { FulcrumError } from '../base/errors.ts';

const MAX_DETAIL_CHARS = 1_000;

/** An error as a client may see it (RFC 9457): fields and body of the answer. */
export interface Problem {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly string[];
  readonly body: Buffer;
}

export interface ProblemFacts {
  readonly error: FulcrumError;
  readonly requestId: string;
  readonly component: string;
  /** In development the author is the client, and is told what the component did wrong. */
  readonly dev: boolean;
}

export function problemOf({ error, requestId, component, dev }: ProblemFacts): Problem {
  const document: Record<string, unknown> = {
    type: `https://fulcrum.dev/errors/${error.code}`,
    title: error.title,
    status: error.status,
    detail: detailOf(error, dev),
    requestId,
  };
  if (component !== '-') document['component'] = component;
  const body = Buffer.from(JSON.stringify(document));
  const fields = [
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    requestId,
  ];
  const retryAfterS = error.retryAfterS ?? (error.status === 503 ? 1 : null);
  if (retryAfterS !== null) fields.push('Retry-After', String(Math.max(0, Math.ceil(retryAfterS))));
  return { status: error.status, reason: STATUS_CODES[error.status] ?? 'Error', fields, body };
}

/** The whole answer, for a connection that has no response object: the last one on it. */
export function problemText(problem: Problem, head: boolean): Buffer {
  let text = `HTTP/1.1 ${problem.status} ${problem.reason}\r\nDate: ${new Date().toUTCString()}\r\nConnection: close\r\n`;
  for (let i = 0; i + 1 < problem.fields.length; i += 2) {
    text += `${problem.fields[i]!}: ${problem.fields[i + 1]!}\r\n`;
  }
  return Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head ? Buffer.alloc(0) : problem.body]);
}

/**
 * What the client is told. Its own faults, always. What a component or the platform did wrong, only in development, and
 * then the message alone: stacks, an instance's output and an error's `details` stay in the log, where the request id leads.
 */
function detailOf(error: FulcrumError, dev: boolean): string {
  const open = error.fault === 'caller' || error.code === 'overloaded' || error.code === 'shutting-down';
  if (!open && !dev) return 'The log has more about it under this request id.';
  const text = open ? error.message : withoutStack(error.message);
  return text.length > MAX_DETAIL_CHARS ? `${text.slice(0, MAX_DETAIL_CHARS)}…` : text;
}

/** A message may have had a stack put into it by whoever threw it. */
function withoutStack(message: string): string {
  const stack = message.search(/\n\s+at /);
  return stack === -1 ? message : message.slice(0, stack);
}

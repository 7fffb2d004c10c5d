import type { ErrorCode, FulcrumError } from '../base/errors.ts';

const MAX_DETAIL_CHARS = 1_000;
/** The platform's own words for what a client may do something about: come again later. */
const OPEN: ReadonlySet<ErrorCode> = new Set(['overloaded', 'shutting-down', 'call-refused']);

/** An error as a client may see it (RFC 9457): fields and body of the answer. */
export interface Problem {
  readonly status: number;
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
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    requestId,
  ];
  const retryAfterS = error.retryAfterS ?? (error.status === 503 ? 1 : null);
  if (retryAfterS !== null) fields.push('Retry-After', String(Math.max(0, Math.ceil(retryAfterS))));
  return { status: error.status, fields, body };
}

/**
 * What the client is told. Its own faults, always. What a component or the platform did wrong, only in development, and
 * then the message alone: stacks, an instance's output and an error's `details` stay in the log, where the request id leads.
 */
function detailOf(error: FulcrumError, dev: boolean): string {
  const open = error.fault === 'caller' || OPEN.has(error.code);
  if (!open && !dev) return 'The log has more about it under this request id.';
  const text = open ? error.message : withoutStack(error.message);
  return text.length > MAX_DETAIL_CHARS ? `${text.slice(0, MAX_DETAIL_CHARS)}…` : text;
}

/** A message may have had a stack put into it by whoever threw it. */
function withoutStack(message: string): string {
  const stack = message.search(/\n\s+at /);
  return stack === -1 ? message : message.slice(0, stack);
}

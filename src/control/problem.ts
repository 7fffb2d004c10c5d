import type { FulcrumError } from '../base/errors.ts';

/** An error as its reader gets it: RFC 9457, with our code. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly [detail: string]: unknown;
}

export function problemOf(error: FulcrumError): Problem {
  return {
    ...error.details,
    type: `https://fulcrum.dev/errors/${error.code}`,
    title: error.title,
    status: error.status,
    // What broke inside is for the log; a caller can do nothing with it.
    detail: error.code === 'internal' ? 'Something went wrong; the server’s log says what.' : error.message,
    code: error.code,
  };
}

export function problemResponse(
  error: FulcrumError,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const challenge: Record<string, string> =
    error.code === 'unauthorized' ? { 'www-authenticate': 'Bearer realm="fulcrum"' } : {};
  const retry: Record<string, string> =
    error.retryAfterS === null ? {} : { 'retry-after': String(error.retryAfterS) };
  return new Response(JSON.stringify(problemOf(error)), {
    status: error.status,
    headers: { 'content-type': 'application/problem+json', ...challenge, ...retry, ...headers },
  });
}

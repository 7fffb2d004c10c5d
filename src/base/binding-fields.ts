/** What becomes of the fields of a request through a service binding, and of its answer's: over the wire as within a process. */
import { isFieldValue, isToken } from './header-field.ts';
import { endToEnd, withoutFields } from './hop-by-hop.ts';

/** What the platform says itself. An expectation is that of a connection, and there is none. */
const TOLD_ANEW: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'expect',
  'x-request-id',
  'traceparent',
]);

/** Methods whose requests are expected to have a body, so that its absence is said (RFC 9110, 8.6). */
const SAYS_NONE: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** A request as its caller has written it. */
interface WrittenRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: readonly string[];
  readonly hasBody: boolean;
  /** Of the body; null: there is none, or nobody knows. */
  readonly lengthBytes: number | null;
}

/** Who asks, as the callee is told. */
interface BindingTrace {
  readonly requestId: string;
  readonly traceparent: string;
}

/**
 * The fields that the callee gets: those of the request but for what concerns one connection, and what the platform says of every
 * request. The caller's `X-Forwarded-*` are passed on where it has written any, and none are added.
 */
export function bindingFields(request: WrittenRequest, { requestId, traceparent }: BindingTrace): string[] {
  const { method, url, headers, hasBody } = request;
  const lengthBytes = hasBody ? request.lengthBytes : SAYS_NONE.has(method) ? 0 : null;
  return [
    'Host',
    URL.parse(url)?.host ?? '',
    ...withoutFields(endToEnd(headers), TOLD_ANEW),
    ...(lengthBytes === null ? [] : ['Content-Length', String(lengthBytes)]),
    'X-Request-Id',
    requestId,
    'traceparent',
    traceparent,
  ];
}

/** The name of the first field that HTTP cannot carry; null: all are sound. */
export function unsoundField(fields: readonly string[]): string | null {
  for (let i = 0; i < fields.length; i += 2)
    if (!isToken(fields[i]) || !isFieldValue(fields[i + 1])) return fields[i]!;
  return null;
}

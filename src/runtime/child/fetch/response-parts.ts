import { isFieldValue, isToken } from '../../../base/header-field.ts';
import type { RawHeaders } from '../../../model/http.ts';
import { LightResponse, type WholeBody } from './light-response.ts';
import { NativeHeaders } from './natives.ts';

/** What a handler answered is no response that HTTP could carry. */
export class BadResponse extends Error {
  override readonly name = 'BadResponse';
}

/** A response taken apart. */
export interface ResponseParts {
  readonly status: number;
  readonly headers: RawHeaders;
  readonly body: ReadableStream<unknown> | WholeBody;
  /** Whether the bytes of `body` may be given back to the memory of bodies once they are sent. */
  readonly isSole: boolean;
}

/** Statuses whose responses have no body (Fetch standard, "null body status"). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** So short a body goes to the gateway in one frame, whatever it is encoded to. */
const SHORT_BODY_LENGTH = 5 * 1024;

/** Whether Fetch lets a request of this method have a body. */
export function mayHaveBody(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/**
 * Takes apart what a handler returned. It need not be this process' own Response: frameworks bring theirs.
 * Throws {@link BadResponse}.
 */
export function readResponse(value: unknown, method: string): ResponseParts {
  if (!isResponseLike(value)) {
    throw new BadResponse(`the handler returned ${nameOf(value)} where a Response is needed`);
  }
  const { status } = value;
  if (!Number.isInteger(status) || status < 200 || status > 599) {
    throw new BadResponse(
      `the handler returned a Response with the status ${String(status)}; 200 to 599 are possible`,
    );
  }
  const sendsBody = method !== 'HEAD' && !WITHOUT_BODY.has(status);
  if (sendsBody && value.bodyUsed === true) throw usedAlready();
  const light = LightResponse.take(value);
  if (light !== null) return lightParts(light, sendsBody, status);
  const body = value.body ?? null;
  if (!sendsBody) {
    discard(body);
    return { status, headers: readHeaders(value), body: null, isSole: false };
  }
  if ((body as ReadableStream | null)?.locked === true) throw usedAlready();
  return { status, headers: readHeaders(value), body: toStream(body), isSole: false };
}

function lightParts(
  { status, headers, body, isSole }: ResponseParts & { readonly headers: string[] },
  sendsBody: boolean,
  known: number,
): ResponseParts {
  const isStream = body !== null && typeof body === 'object' && 'getReader' in body;
  if (isStream) {
    if (!sendsBody) discard(body);
    else if (body.locked) throw usedAlready();
    return { status, headers, body: sendsBody ? body : null, isSole };
  }
  // What the client is told to expect; to HEAD as to GET, and never where there is none by the status (RFC 9110, 8.6). Of a
  // short body the gateway sees the length, and most answers then have the same fields.
  const isShort = sendsBody && body !== null && body.length < SHORT_BODY_LENGTH;
  if (body !== null && !isShort && !WITHOUT_BODY.has(known) && !hasLength(headers)) {
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    headers.push('content-length', String(bytes));
  }
  return { status, headers, body: sendsBody ? body : null, isSole };
}

function usedAlready(): BadResponse {
  return new BadResponse('the body of the Response that the handler returned has been read already');
}

function hasLength(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === 'content-length') return true;
  return false;
}

export function isEventStream(headers: RawHeaders): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === 'content-type')
      return headers[i + 1]!.trimStart().startsWith('text/event-stream');
  }
  return false;
}

interface ResponseLike {
  readonly status: number;
  readonly headers: Iterable<unknown>;
  readonly body?: unknown;
  readonly bodyUsed?: unknown;
}

function isResponseLike(value: unknown): value is ResponseLike {
  if (typeof value !== 'object' || value === null) return false;
  const { status, headers } = value as { status?: unknown; headers?: unknown };
  return (
    typeof status === 'number' &&
    typeof headers === 'object' &&
    headers !== null &&
    Symbol.iterator in headers
  );
}

function readHeaders(value: ResponseLike): string[] {
  const own = value.headers instanceof NativeHeaders;
  const headers: string[] = [];
  for (const pair of value.headers) {
    const [name, field] = pair as [string, string];
    // Those of our own have been checked when they were made.
    if (!own && !(isToken(name) && isFieldValue(field)))
      throw new BadResponse(`the header ${JSON.stringify(name)} is not valid`);
    headers.push(name, field);
  }
  return headers;
}

function toStream(body: unknown): ReadableStream<unknown> | null {
  if (body === null) return null;
  if (typeof (body as ReadableStream).getReader === 'function') return body as ReadableStream<unknown>;
  if (typeof body === 'object' && Symbol.asyncIterator in body) {
    return ReadableStream.from<unknown>(body as AsyncIterable<unknown>);
  }
  throw new BadResponse(
    `the body of the Response that the handler returned is ${nameOf(body)}, not a stream`,
  );
}

function discard(body: unknown): void {
  const stream = body as { cancel?: () => Promise<void>; locked?: boolean } | null;
  if (stream?.locked !== false) return;
  stream.cancel?.().catch(() => undefined);
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name = (value.constructor as { name?: unknown } | undefined)?.name;
  return typeof name === 'string' && name !== '' ? `an object (${name})` : 'an object';
}

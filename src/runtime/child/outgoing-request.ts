import { FulcrumError } from '../../base/errors.ts';
import type { FetchHead } from '../wire/fetch-head.ts';
import { MAX_HEAD_BYTES } from '../wire/limits.ts';
import { IncomingRequest } from './fetch/incoming-request.ts';
import { NativeRequest, type RequestInput } from './fetch/natives.ts';

/** A request through a service binding, as it is to be sent. */
export interface OutgoingRequest {
  readonly head: FetchHead;
  readonly body: ReadableStream<unknown> | null;
  /** Null: nobody can give it up. */
  readonly signal: AbortSignal | null;
  /** The caller takes no redirect for an answer. */
  readonly refusesRedirects: boolean;
}

/**
 * What `fetch(input, init)` means, by the Fetch standard; a relative URL is one of `component`. The body of a Request that is given is
 * that of the outgoing one from then on. Throws TypeError as `fetch` does, and
 * `call-too-large`.
 */
export function outgoingRequest(component: string, input: unknown, init: unknown): OutgoingRequest {
  // The request that a handler was given, passed on as it is: to make another of it would cost as much as all the rest.
  if (init === undefined && IncomingRequest.is(input))
    return ofRequest(component, input, lengthIn(input.headers), false);
  const target = input instanceof NativeRequest ? IncomingRequest.unwrap(input) : absolute(component, input);
  const request = new NativeRequest(target as RequestInput, init as RequestInit | undefined);
  const given = (init as RequestInit | undefined)?.body;
  return ofRequest(component, request, lengthOf(given), request.redirect === 'error');
}

function ofRequest(
  component: string,
  request: Request,
  lengthBytes: number | null,
  refusesRedirects: boolean,
): OutgoingRequest {
  if (request.bodyUsed) throw new TypeError('Cannot fetch with a Request whose body has been read already.');
  const { protocol } = new URL(request.url);
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new TypeError(`A component is asked by http: or https:, not by ${protocol}`);
  const { body } = request;
  const head = {
    method: request.method,
    url: withoutFragment(request.url),
    headers: [...request.headers].flat(),
    hasBody: body !== null,
    lengthBytes: body === null ? null : lengthBytes,
  };
  assertFits(component, head);
  return { head, body, signal: request.signal, refusesRedirects };
}

function absolute(component: string, input: unknown): string {
  const text = String(input);
  const url = URL.parse(text, `http://${component}/`);
  if (url === null) throw new TypeError(`Failed to parse URL from ${text}`);
  return url.href;
}

function withoutFragment(url: string): string {
  const hash = url.indexOf('#');
  return hash === -1 ? url : url.slice(0, hash);
}

/** Of a body that is there as a whole. The standard says no length of any other. */
function lengthOf(body: unknown): number | null {
  if (typeof body === 'string') return Buffer.byteLength(body.toWellFormed());
  if (body instanceof URLSearchParams) return Buffer.byteLength(body.toString());
  if (ArrayBuffer.isView(body) || body instanceof ArrayBuffer) return body.byteLength;
  return body instanceof Blob ? body.size : null;
}

function lengthIn(headers: Headers): number | null {
  const told = headers.get('content-length');
  return told !== null && /^\d{1,15}$/.test(told) ? Number(told) : null;
}

export function isRedirect(status: number): boolean {
  return status >= 300 && status <= 399 && status !== 304;
}

/** What a request is rejected with whose `redirect` is `error`. */
export function redirected(): TypeError {
  return new TypeError('The answer is a redirect, and the request was made with redirect: "error".');
}

/** Statuses whose answers have no body (Fetch standard, "null body status"). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Whether an answer has a body, be it an empty one. */
export function mayAnswer(method: string, status: number): boolean {
  return method !== 'HEAD' && !WITHOUT_BODY.has(status);
}

/** Throws `call-too-large` where `head` is more than may cross. */
function assertFits(component: string, head: FetchHead): void {
  let length = head.url.length;
  for (const text of head.headers) length += text.length + 3;
  // A character of JSON may be six, or two bytes.
  if (6 * length <= MAX_HEAD_BYTES) return;
  const bytes = Buffer.byteLength(JSON.stringify(head));
  if (bytes <= MAX_HEAD_BYTES) return;
  throw new FulcrumError(
    'call-too-large',
    `The URL and headers of a request to component "${component}" take ${bytes} bytes; ${MAX_HEAD_BYTES} may cross between components.`,
  );
}

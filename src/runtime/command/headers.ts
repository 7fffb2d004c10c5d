import { endToEnd } from '../../base/hop-by-hop.ts';
import type { BodySource } from '../../model/body.ts';
import type { RawHeaders, RequestHead } from '../../model/http.ts';

/** Methods whose requests are expected to have a body, so that its absence is said (RFC 9110 §8.6). */
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * What the program is sent: the request's fields as they came, with the framing that the body really has. A length that
 * is not the body's own would let a client put a second request behind the first.
 */
export function requestHeaders(head: RequestHead, body: BodySource | null): string[] {
  const source = endToEnd(head.headers);
  const headers: string[] = [];
  let hasHost = false;
  let hasLength = false;
  const length = body === null ? '0' : body.lengthBytes === null ? null : String(body.lengthBytes);
  for (let i = 0; i < source.length; i += 2) {
    const lower = source[i]!.toLowerCase();
    // The gateway has answered an expectation of 100-continue itself.
    if (lower === 'expect') continue;
    if (lower === 'host') hasHost = true;
    if (lower !== 'content-length') {
      headers.push(source[i]!, source[i + 1]!);
    } else if (!hasLength && length !== null) {
      hasLength = true;
      headers.push(source[i]!, length);
    }
  }
  if (!hasHost) headers.unshift('Host', URL.parse(head.url)?.host ?? 'localhost');
  if (length === null) headers.push('Transfer-Encoding', 'chunked');
  else if (!hasLength && (body !== null || METHODS_WITH_BODY.has(head.method))) {
    headers.push('Content-Length', length);
  }
  return headers;
}

/** The first value of a field, or null. `name` in lower case. */
export function fieldOf(headers: RawHeaders, name: string): string | null {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === name) return headers[i + 1]!;
  }
  return null;
}

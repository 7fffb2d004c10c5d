import { FulcrumError } from '../base/errors.ts';
import { fieldName } from './http1/field-names.ts';
import { isFieldValue } from './http1/grammar.ts';
import { isCorsField } from './cors.ts';
import { isHopByHop, namedByConnection, withoutFields } from './hop-by-hop.ts';
import type { ResponseHead } from '../model/http.ts';

export interface ResponseFields {
  /** End-to-end fields of the component's, in its order and letter case. */
  readonly passed: string[];
  /** What it promised; null where it promised nothing. */
  readonly contentLength: number | null;
  /** Whether it says when it was made (RFC 9110, 6.6.1); where not, whoever passes it on does. */
  readonly dated: boolean;
}

/**
 * A component's head, fit to be sent. Throws `bad-response` where it is none: a status that is no final one, fields
 * that are no pairs, a `Content-Length` that is no length or two different ones.
 * @param ownsCors whether the gateway sets the CORS fields itself.
 */
export function readResponseHead(head: ResponseHead, ownsCors: boolean): ResponseFields {
  const { status, headers } = head;
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw bad(`The component answered with the status ${String(status)}, which ends no request.`);
  }
  if (headers.length % 2 !== 0) throw bad('The component answered with a header name that has no value.');
  let contentLength: number | null = null;
  let connection: string | null = null;
  let dated = false;
  const passed: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    const { lower, valid } = fieldName(name);
    if (!valid || !isFieldValue(value)) {
      throw bad(`The component answered with a header that HTTP cannot carry: ${JSON.stringify(name)}.`);
    }
    if (lower === 'content-length') {
      const length = readLength(value);
      if (contentLength !== null && contentLength !== length) {
        throw bad('The component answered with two different Content-Length fields.');
      }
      // Two that agree become one: clients need not accept more.
      contentLength = length;
    } else if (lower === 'connection') {
      connection = connection === null ? value : `${connection},${value}`;
    } else if (lower !== 'x-request-id' && !isHopByHop(lower) && !(ownsCors && isCorsField(lower))) {
      if (lower === 'date') dated = true;
      passed.push(name, value);
    }
  }
  const named = connection === null ? null : namedByConnection(connection);
  return { passed: named === null ? passed : withoutFields(passed, named), contentLength, dated };
}

/** Whether an answer to `method` with `status` has a body (RFC 9110, 6.4.1). */
export function hasBody(method: string, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}

function readLength(value: string): number {
  const length = /^\d{1,15}$/.test(value.trim()) ? Number(value) : Number.NaN;
  if (Number.isNaN(length)) throw bad('The component answered with a Content-Length that is no length.');
  return length;
}

function bad(message: string): FulcrumError {
  return new FulcrumError('bad-response', message);
}

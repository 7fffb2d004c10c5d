import { FulcrumError } from '../base/errors.ts';
import { fieldName } from './http1/field-names.ts';
import { isFieldValue } from './http1/grammar.ts';
import { isCorsField } from './cors.ts';
import { isHopByHop, namedByConnection, withoutFields } from '../base/hop-by-hop.ts';
import type { RawHeaders, ResponseHead } from '../model/http.ts';

export interface ResponseFields {
  /** End-to-end fields of the component's, in its order and letter case, as lines. */
  readonly lines: string;
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
  if (!Object.isFrozen(head.headers)) return readHead(head, ownsCors);
  const known = ownsCors ? knownWithCors : knownWithout;
  const found = known.get(head.headers);
  if (found !== undefined && isFinal(head.status)) return found;
  const read = readHead(head, ownsCors);
  known.set(head.headers, read);
  return read;
}

/** A runtime gives the same frozen list where an instance answers with the same fields again: it is read once. */
const knownWithCors = new WeakMap<RawHeaders, ResponseFields>();
const knownWithout = new WeakMap<RawHeaders, ResponseFields>();

function readHead(head: ResponseHead, ownsCors: boolean): ResponseFields {
  const { status, headers } = head;
  if (!isFinal(status)) {
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
  return { lines: linesOf(named === null ? passed : withoutFields(passed, named)), contentLength, dated };
}

/** Fields as they are sent, each with its line's end. */
export function linesOf(fields: readonly string[]): string {
  let lines = '';
  for (let i = 0; i + 1 < fields.length; i += 2) lines += `${fields[i]!}: ${fields[i + 1]!}\r\n`;
  return lines;
}

/** Whether fields, as lines, say that a shared cache may give the answer to anybody (RFC 9111, 5.2.2: `public`, `s-maxage`). */
export function isForAll(lines: string): boolean {
  return FOR_ALL.test(lines);
}

const FOR_ALL = /^cache-control:.*\b(?:public|s-maxage)\b/im;

/** Whether an answer to `method` with `status` has a body (RFC 9110, 6.4.1 and 15.3.6). */
export function hasBody(method: string, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304;
}

function isFinal(status: number): boolean {
  return Number.isInteger(status) && status >= 200 && status <= 999;
}

function readLength(value: string): number {
  const length = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isNaN(length)) throw bad('The component answered with a Content-Length that is no length.');
  return length;
}

function bad(message: string): FulcrumError {
  return new FulcrumError('bad-response', message);
}

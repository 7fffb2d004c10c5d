import { FulcrumError } from '../../base/errors.ts';
import { COLON, CR, FIELD_VALUE, LF, SPACE, TAB, TARGET, TOKEN } from './grammar.ts';
import { bad, headersTooLarge } from './refusals.ts';
import type { RawHeaders } from '../../model/http.ts';

/** A request line (RFC 9112, 3). */
export interface RequestLine {
  readonly method: string;
  readonly target: string;
  /** Of HTTP/1; a later minor version than 1 is read as 1. */
  readonly minor: 0 | 1;
}

/** Longer methods are nobody's, and would be carried through logs and tables. */
export const MAX_METHOD_CHARS = 64;

/**
 * Reads a request line. Exactly one space stands between its parts: where a parser is generous, two parsers differ.
 * Throws `bad-request` or `http-version-unsupported`.
 */
export function readRequestLine(line: string): RequestLine {
  let at = 0;
  while (at < line.length && TOKEN[line.charCodeAt(at)] === 1) at++;
  if (at === 0 || line.charCodeAt(at) !== SPACE) throw bad('The request line does not begin with a method.');
  if (at > MAX_METHOD_CHARS) throw bad(`A method may have ${MAX_METHOD_CHARS} characters at most.`);
  const method = line.slice(0, at);
  const begin = ++at;
  at = targetEnd(line, at);
  if (at === begin || line.charCodeAt(at) !== SPACE) {
    throw bad('The request target holds something that no target may hold, or no version follows it.');
  }
  return { method, target: line.slice(begin, at), minor: readVersion(line.slice(at + 1)) };
}

/** Where the request target that begins at `from` ends. Throws `bad-request` for a percent sign that encodes nothing. */
export function targetEnd(text: string, from: number): number {
  let at = from;
  let code = text.charCodeAt(at);
  while (TARGET[code] === 1) {
    // "%" and two hex digits; anything else is decoded by every reader in its own way.
    if (code === 37 && !(isHex(text.charCodeAt(at + 1)) && isHex(text.charCodeAt(at + 2)))) {
      throw bad('The request target holds a percent sign that begins no encoded byte.');
    }
    code = text.charCodeAt(++at);
  }
  return at;
}

function readVersion(text: string): 0 | 1 {
  if (text === 'HTTP/1.1') return 1;
  if (text === 'HTTP/1.0') return 0;
  if (!/^HTTP\/\d\.\d$/.test(text)) throw bad('The request line does not end with a version of HTTP.');
  if (text.startsWith('HTTP/1.')) return 1;
  throw new FulcrumError('http-version-unsupported', `This port speaks HTTP/1.1, and not ${text}.`);
}

/**
 * Reads the field lines of a head or the trailers of a chunked body: name, value, … in the sender's letter case and order.
 * @param text the lines, with CRLF between them and none behind the last.
 * Throws `bad-request`, or `headers-too-large` where there are more than `maxFields`.
 */
export function readFieldLines(text: string, maxFields: number): RawHeaders {
  const fields: string[] = [];
  const { length } = text;
  let at = 0;
  while (at < length) {
    const nameAt = at;
    while (at < length && TOKEN[text.charCodeAt(at)] === 1) at++;
    if (at === nameAt || text.charCodeAt(at) !== COLON) throw badName(text, nameAt, at);
    const name = text.slice(nameAt, at);
    let code = text.charCodeAt(++at);
    while (code === SPACE || code === TAB) code = text.charCodeAt(++at);
    const valueAt = at;
    let end = at;
    while (FIELD_VALUE[code] === 1) {
      at++;
      if (code !== SPACE && code !== TAB) end = at;
      code = text.charCodeAt(at);
    }
    if (at < length && (code !== CR || text.charCodeAt(at + 1) !== LF)) {
      throw bad(`The field ${name} holds a control character.`);
    }
    if (fields.length >= maxFields * 2) {
      throw headersTooLarge(`A request may have ${maxFields} header fields at most.`);
    }
    fields.push(name, text.slice(valueAt, end));
    at += 2;
  }
  return fields;
}

function badName(text: string, from: number, at: number): FulcrumError {
  const code = text.charCodeAt(from);
  if (code === SPACE || code === TAB) return bad('A header field is folded over two lines.');
  return at === from
    ? bad('A header line does not begin with a field name.')
    : bad('A field name is followed by something other than a colon.');
}

function isHex(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102);
}

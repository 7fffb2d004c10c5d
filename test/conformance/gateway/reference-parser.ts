/**
 * A reader of HTTP/1.1 requests written from the grammar of RFC 9112 (messages), RFC 9110 (fields) and RFC 3986 (targets), for
 * comparison with the gateway's own. It shares no code with it and minds no speed: each rule of the grammar is a regular expression
 * with the rule's name. Where the RFCs leave a choice, the gateway's policy is taken: what could be read in two ways is refused.
 */

/** What becomes of one request. */
export interface ReferenceRequest {
  readonly method: string;
  readonly target: string;
  readonly minor: number;
  /** In order, names in lower case, values without the white space around them. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** Whether the connection stays open for another one. */
  readonly persists: boolean;
  /** Answered by the gateway itself with one of these; null: it goes to the component. */
  readonly ownAnswer: readonly number[] | null;
}

export interface ReferenceReading {
  readonly requests: readonly ReferenceRequest[];
  /** How it ends: more bytes could follow, the connection ends with the last request, or what follows is refused with one of these. */
  readonly end: 'open' | 'closed' | readonly number[];
  /** A request whose head was sound and whose body was not: it reached the component and came to no end there. */
  readonly broken: ReferenceRequest | null;
}

const MAX_HEAD_BYTES = 16 * 1024;
const MAX_FIELDS = 256;
const MAX_EMPTY_LINES = 4;

// RFC 9110, 5.6.2 and 5.5; RFC 9112, 2.3, 3 and 5.
const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const fieldVchar = '[\\x21-\\x7e\\x80-\\xff]';
const fieldContent = `${fieldVchar}(?:[ \\t\\x21-\\x7e\\x80-\\xff]*${fieldVchar})?`;
const METHOD = new RegExp(`^${token}$`);
const HTTP_VERSION = /^HTTP\/(\d)\.(\d)$/;
const FIELD_LINE = new RegExp(`^(${token}):[ \\t]*((?:${fieldContent})?)[ \\t]*$`);
const FIELD_LINE_BLANK = new RegExp(`^(${token}):[ \\t]*$`);
// RFC 3986, with the characters that browsers send as they are.
const pchar = `(?:[A-Za-z0-9\\-._~!$&'()*+,;=:@"<>\\\\^\`{|}\\[\\]]|%[0-9A-Fa-f]{2})`;
const query = `(?:${pchar}|[/?])*`;
const ORIGIN_FORM = new RegExp(`^/(?:${pchar}|/)*(?:\\?${query})?$`);
const ABSOLUTE_FORM = new RegExp(`^https?://([^/?#]*)((?:/(?:${pchar}|/)*)?(?:\\?${query})?)$`, 'i');
const ANY_TARGET = new RegExp(`^(?:${pchar}|[/?])+$`);
const HOST = /^(?:[a-z0-9_][a-z0-9._~-]*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
// RFC 9112, 7.1.
const CHUNK_SIZE = /^[0-9A-Fa-f]+/;
const quotedString = '"(?:[\\t !\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*"';
const CHUNK_EXT = new RegExp(
  `^(?:[ \\t]*;[ \\t]*${token}(?:[ \\t]*=[ \\t]*(?:${token}|${quotedString}))?)*$`,
);
const MAX_EXTENSION_BYTES = 4 * 1024;
const MAX_TRAILER_BYTES = 8 * 1024;
const MAX_TRAILERS = 64;

/** Thrown inside, where what arrived is refused. */
class Refused extends Error {
  readonly statuses: readonly number[];
  constructor(...statuses: number[]) {
    super(`refused with ${statuses.join(' or ')}`);
    this.statuses = statuses;
  }
}
/** Thrown inside, where more must come before anything can be said. */
class Incomplete extends Error {}

/** Reads all that a client sent over one connection. */
export function readConnection(bytes: Buffer): ReferenceReading {
  const text = bytes.toString('latin1');
  const requests: ReferenceRequest[] = [];
  let at = 0;
  for (;;) {
    let begun: ReferenceRequest | null = null;
    try {
      at = skipEmptyLines(text, at);
      if (at === text.length) return { requests, end: 'open', broken: null };
      const head = readHead(text, at);
      if (head.request.ownAnswer !== null) {
        // Answered at its head: what follows of it is passed over.
        requests.push(head.request);
        if (!head.request.persists) return { requests, end: 'closed', broken: null };
        at = readBody(text, head.end, head.framing).end;
        continue;
      }
      begun = head.request;
      const body = readBody(text, head.end, head.framing);
      requests.push({ ...head.request, body: Buffer.from(body.text, 'latin1') });
      at = body.end;
      if (!head.request.persists) return { requests, end: 'closed', broken: null };
    } catch (error) {
      if (error instanceof Incomplete) return { requests, end: 'open', broken: begun };
      if (error instanceof Refused) return { requests, end: error.statuses, broken: begun };
      throw error;
    }
  }
}

function skipEmptyLines(text: string, from: number): number {
  let at = from;
  for (let lines = 0; text.startsWith('\r\n', at); at += 2)
    if (++lines > MAX_EMPTY_LINES) throw new Refused(400);
  if (text.slice(at) === '\r') throw new Incomplete();
  return at;
}

type Framing = 'none' | 'chunked' | number;

function readHead(text: string, from: number): { request: ReferenceRequest; framing: Framing; end: number } {
  const end = text.indexOf('\r\n\r\n', from);
  const seen = text.slice(from, end === -1 ? text.length : end);
  if (end === -1 || seen.length > MAX_HEAD_BYTES) {
    // Nothing that could still become a head, or too much of it already.
    const wrong: number[] = [];
    if (!new RegExp(`^${token[0]}${token.slice(1, -1)}`).test(seen)) wrong.push(400);
    if (/(?:^|[^\r])\n|\r(?=[^\n])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(seen)) wrong.push(400);
    if (seen.length > MAX_HEAD_BYTES) wrong.push(seen.slice(0, MAX_HEAD_BYTES).includes('\n') ? 431 : 414);
    if (wrong.length > 0) throw new Refused(...wrong);
    throw new Incomplete();
  }
  const [requestLine = '', ...fieldLines] = seen.split('\r\n');
  const wrong = new Set<number>();
  const { method, target, minor } = readRequestLine(requestLine, wrong);
  const fields = fieldLines.map((line) => readFieldLine(line, wrong));
  if (fields.length > MAX_FIELDS) wrong.add(431);
  const framing = readFraming(fields, minor, wrong);
  if (wrong.size > 0) throw new Refused(...wrong);
  const request = judge(method, target, minor, fields, framing);
  return { request, framing, end: end + 4 };
}

function readRequestLine(
  line: string,
  wrong: Set<number>,
): { method: string; target: string; minor: number } {
  const parts = line.split(' ');
  const [method = '', target = '', version = ''] = parts;
  if (parts.length !== 3 || !METHOD.test(method) || method.length > 64) wrong.add(400);
  if (!ANY_TARGET.test(target)) wrong.add(400);
  const match = HTTP_VERSION.exec(version);
  if (match === null) wrong.add(400);
  else if (match[1] !== '1') wrong.add(505);
  return { method, target, minor: match?.[2] === '0' ? 0 : 1 };
}

function readFieldLine(line: string, wrong: Set<number>): [string, string] {
  const match = FIELD_LINE.exec(line) ?? FIELD_LINE_BLANK.exec(line);
  if (match === null) {
    wrong.add(400);
    return ['', ''];
  }
  return [match[1]!.toLowerCase(), match[2] ?? ''];
}

/** RFC 9112, 6.3. */
function readFraming(fields: readonly [string, string][], minor: number, wrong: Set<number>): Framing {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (codings.length > 0) {
    if (minor === 0 || lengths.length > 0) wrong.add(400);
    const list = codings
      .join(',')
      .split(',')
      .map((coding) => withoutOws(coding).toLowerCase());
    if (list.length === 1 && list[0] === 'chunked') return 'chunked';
    wrong.add(list.indexOf('chunked') === list.length - 1 ? 501 : 400);
    return 'none';
  }
  if (lengths.length === 0) return 'none';
  const [length] = lengths;
  if (lengths.length > 1 || !/^\d+$/.test(length!) || !Number.isSafeInteger(Number(length))) wrong.add(400);
  return Number(length);
}

/** What is sound as a message may still be no request that is passed on. */
function judge(
  method: string,
  target: string,
  minor: number,
  fields: readonly [string, string][],
  framing: Framing,
): ReferenceRequest {
  const wrong = new Set<number>();
  const hosts = valuesOf(fields, 'host');
  if (hosts.length > 1 || (hosts.length === 0 && minor === 1)) wrong.add(400);
  if (hosts.length > 0 && !isHost(hosts[0]!)) wrong.add(400);
  const absolute = ABSOLUTE_FORM.exec(target);
  if (absolute !== null && !isHost(absolute[1]!)) wrong.add(400);
  let own: number[] | null = null;
  const expects = valuesOf(fields, 'expect');
  const asksOtherwise =
    minor === 1 && expects.length > 0 && expects.join(', ').toLowerCase() !== '100-continue';
  if (asksOtherwise) own = [417];
  const forwards = valuesOf(fields, 'max-forwards');
  if (method === 'CONNECT') throw new Refused(405, ...(asksOtherwise ? [417] : []), ...wrong);
  else if (method === 'TRACE') own ??= [405];
  else if (
    method === 'OPTIONS' &&
    target !== '*' &&
    forwards.length > 0 &&
    !/^\d{1,9}$/.test(forwards.join(', '))
  ) {
    if (own === null) wrong.add(400);
  } else if (method === 'OPTIONS' && (target === '*' || (forwards.length > 0 && Number(forwards[0]) === 0))) {
    own ??= [204];
  }
  // What is answered without being looked at any further may be so.
  const isRefusedFirst = own !== null && own[0] !== 204;
  if (target === '*' ? method !== 'OPTIONS' : absolute === null && !ORIGIN_FORM.test(target)) {
    if (!isRefusedFirst) wrong.add(400);
  }
  if (wrong.size > 0 && !isRefusedFirst) throw new Refused(...wrong);
  const options = valuesOf(fields, 'connection').join(',').toLowerCase().split(',');
  const says = (option: string): boolean => options.some((given) => withoutOws(given) === option);
  let persists = !says('close') && (minor === 1 || says('keep-alive'));
  // Whoever waits for a word that never comes may send its body or not: nobody can tell what follows.
  if (expects.length > 0 && minor === 1 && own !== null && framing !== 'none' && framing !== 0)
    persists = false;
  if (own !== null && framing === 'chunked') persists = false;
  return { method, target, minor, fields, body: Buffer.alloc(0), persists, ownAnswer: own };
}

function isHost(text: string): boolean {
  return HOST.test(text) && URL.canParse(`http://${text}/`);
}

function readBody(text: string, from: number, framing: Framing): { text: string; end: number } {
  if (framing === 'none') return { text: '', end: from };
  if (framing === 'chunked') return readChunks(text, from);
  if (from + framing > text.length) throw new Incomplete();
  return { text: text.slice(from, from + framing), end: from + framing };
}

function readChunks(text: string, from: number): { text: string; end: number } {
  let body = '';
  let at = from;
  let extensionBytes = 0;
  for (;;) {
    const size = CHUNK_SIZE.exec(text.slice(at, at + 40))?.[0] ?? '';
    if (size === '' && at < text.length) throw new Refused(400);
    const length = Number.parseInt(size, 16);
    if (size.length > 16 || length > Number.MAX_SAFE_INTEGER) throw new Refused(400);
    const lineEnd = text.indexOf('\n', at);
    const rest = text.slice(at + size.length, lineEnd === -1 ? text.length : lineEnd + 1);
    extensionBytes += Math.max(0, rest.length - (lineEnd === -1 ? 0 : 2));
    if (extensionBytes > MAX_EXTENSION_BYTES) throw new Refused(400);
    if (lineEnd === -1) throw new Incomplete();
    if (!rest.endsWith('\r\n') || !CHUNK_EXT.test(rest.slice(0, -2))) throw new Refused(400);
    at = lineEnd + 1;
    if (length === 0) return { text: body, end: skipTrailers(text, at) };
    if (at + length > text.length) throw new Incomplete();
    body += text.slice(at, at + length);
    at += length;
    const behind = text.slice(at, at + 2);
    if (behind === '' || behind === '\r') throw new Incomplete();
    if (behind !== '\r\n') throw new Refused(400);
    at += 2;
  }
}

function skipTrailers(text: string, from: number): number {
  if (text.startsWith('\r\n', from)) return from + 2;
  const end = text.indexOf('\r\n\r\n', from);
  const seen = text.slice(from, end === -1 ? text.length : end);
  if (end === -1) {
    if (/(?:^|[^\r])\n|\r(?=[^\n])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(seen)) throw new Refused(400);
    if (seen.length > MAX_TRAILER_BYTES) throw new Refused(400);
    throw new Incomplete();
  }
  const wrong = new Set<number>();
  const lines = seen.split('\r\n');
  for (const line of lines) readFieldLine(line, wrong);
  if (end + 4 - from > MAX_TRAILER_BYTES) wrong.add(400);
  if (lines.length > MAX_TRAILERS) wrong.add(431);
  if (wrong.size > 0) throw new Refused(...wrong);
  return end + 4;
}

function valuesOf(fields: readonly (readonly [string, string])[], name: string): string[] {
  return fields.filter(([known]) => known === name).map(([, value]) => value);
}

/** RFC 9110, 5.6.3. */
function withoutOws(text: string): string {
  return /^[ \t]*(.*?)[ \t]*$/s.exec(text)![1]!;
}

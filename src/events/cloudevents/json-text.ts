/**
 * Whether a text is JSON, and where its parts lie. `JSON.parse` says nothing of names that come twice, rounds large numbers and loses how
 * they were written; it takes any depth, for which whoever walks its values pays later; and 10 MB of `{},{},…` become millions of objects
 * that nobody wants. So the text is read as text, once and without recursion, and the `data` of an event is cut out of it as it was
 * written.
 */

/** A part of a text. */
export interface Span {
  readonly from: number;
  /** Behind its last character. */
  readonly to: number;
}

export interface Member extends Span {
  readonly name: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const BRACE = 0x7b;
const BRACKET = 0x5b;

const LITERALS = ['true', 'false', 'null'];
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** What is wrong with a text: it is no JSON from this place on, or its objects and lists lie too deep in one another there. */
export interface JsonFault {
  readonly kind: 'none' | 'deep';
  readonly at: number;
}

/** Looks through a text that ought to be JSON (RFC 8259), with at most `most` objects and lists in one another; null: it is. */
export function faultIn(text: string, most: number): JsonFault | null {
  /** By depth: whether it is a list that has been opened there. */
  const isList = new Uint8Array(most + 1);
  let depth = 0;
  let i = skipSpace(text, 0);
  for (;;) {
    const code = text.charCodeAt(i);
    let isOver = true;
    if (opens(code)) {
      if (depth === most) return { kind: 'deep', at: i };
      isList[++depth] = code === BRACKET ? 1 : 0;
      i = skipSpace(text, i + 1);
      isOver = text.charCodeAt(i) === closing(isList[depth]!);
      if (!isOver && code === BRACE) {
        const value = endOfName(text, i);
        if (value < 0) return { kind: 'none', at: i };
        i = value;
      }
    } else {
      const end = endOfScalar(text, i);
      if (end < 0) return { kind: 'none', at: i };
      i = end;
    }
    // Behind a value: what was opened is closed, or goes on.
    while (isOver) {
      i = skipSpace(text, i);
      if (depth === 0) return i === text.length ? null : { kind: 'none', at: i };
      const sign = text.charCodeAt(i);
      if (sign === closing(isList[depth]!)) {
        depth--;
        i++;
        continue;
      }
      if (sign !== COMMA) return { kind: 'none', at: i };
      i = skipSpace(text, i + 1);
      if (isList[depth] === 0) {
        const value = endOfName(text, i);
        if (value < 0) return { kind: 'none', at: i };
        i = value;
      }
      isOver = false;
    }
  }
}

/** The members of an object. `at`: where its brace is, in a text that is valid JSON. */
export function membersOf(text: string, at: number): Member[] {
  const members: Member[] = [];
  let i = skipSpace(text, at + 1);
  while (text.charCodeAt(i) === QUOTE) {
    const nameEnd = endOfString(text, i);
    const name = JSON.parse(text.slice(i, nameEnd)) as string;
    i = skipSpace(text, nameEnd);
    if (text.charCodeAt(i) !== COLON) break;
    const from = skipSpace(text, i + 1);
    const to = endOfValue(text, from);
    members.push({ name, from, to });
    i = skipSpace(text, to);
    if (text.charCodeAt(i) !== COMMA) break;
    i = skipSpace(text, i + 1);
  }
  return members;
}

/** The same of a list, at most `most` and one more, whose end is then the text's. `at`: where its bracket is. */
export function itemsOf(text: string, at: number, most: number): Span[] {
  const items: Span[] = [];
  let from = skipSpace(text, at + 1);
  if (closes(text.charCodeAt(from))) return items;
  while (from < text.length && items.length <= most) {
    const to = endOfValue(text, from);
    items.push({ from, to });
    const next = skipSpace(text, to);
    if (text.charCodeAt(next) !== COMMA) break;
    from = skipSpace(text, next + 1);
  }
  return items;
}

export function skipSpace(text: string, at: number): number {
  let i = at;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) break;
    i++;
  }
  return i;
}

function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return endOfString(text, from);
  let i = from;
  if (!opens(first)) {
    while (i < text.length && !endsLiteral(text.charCodeAt(i))) i++;
    return i;
  }
  let depth = 0;
  for (; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i) - 1;
    else if (opens(code)) depth++;
    else if (closes(code) && --depth === 0) return i + 1;
  }
  return text.length;
}

/** Behind the closing quote; the text's end where there is none. */
function endOfString(text: string, from: number): number {
  let i = from + 1;
  while (i < text.length) {
    const quote = text.indexOf('"', i);
    if (quote === -1) return text.length;
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH && quote - 1 - slashes > from) slashes++;
    if (slashes % 2 === 0) return quote + 1;
    i = quote + 1;
  }
  return text.length;
}

/** Where the value of a member begins whose name is at `from`; -1 where there is none. */
function endOfName(text: string, from: number): number {
  if (text.charCodeAt(from) !== QUOTE) return -1;
  const end = endOfValidString(text, from);
  if (end < 0) return -1;
  const colon = skipSpace(text, end);
  return text.charCodeAt(colon) === COLON ? skipSpace(text, colon + 1) : -1;
}

/** Behind a text, a number, true, false or null; -1 where there is none of them. */
function endOfScalar(text: string, from: number): number {
  const code = text.charCodeAt(from);
  if (code === QUOTE) return endOfValidString(text, from);
  if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
    NUMBER.lastIndex = from;
    return NUMBER.test(text) ? NUMBER.lastIndex : -1;
  }
  const literal = LITERALS.find((one) => text.startsWith(one, from));
  return literal === undefined ? -1 : from + literal.length;
}

/** Behind the closing quote; -1 where there is none, or what stands before it may not. */
function endOfValidString(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i + 1;
    if (code < 0x20) return -1;
    if (code !== BACKSLASH) continue;
    const escaped = text.charAt(++i);
    if (escaped === 'u') {
      if (!/^[0-9A-Fa-f]{4}$/.test(text.slice(i + 1, i + 5))) return -1;
      i += 4;
    } else if (escaped === '' || !'"\\/bfnrt'.includes(escaped)) return -1;
  }
  return -1;
}

function closing(isList: number): number {
  return isList === 1 ? 0x5d : 0x7d;
}

function endsLiteral(code: number): boolean {
  return code === COMMA || closes(code) || code === 32 || code === 10 || code === 13 || code === 9;
}

function opens(code: number): boolean {
  return code === BRACE || code === BRACKET;
}

function closes(code: number): boolean {
  return code === 0x7d || code === 0x5d;
}

/** Which characters may stand where in a message (RFC 9110, 5.6.2 and 5.5; RFC 3986). A head is read as Latin-1: codes 0 to 255. */

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const COLON = 58;

const TOKEN_CHARS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/** RFC 3986: unreserved, sub-delims, and what a path or query adds; `%` is looked at by itself. */
const TARGET_CHARS = "!$&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~%";
/** Not in RFC 3986, yet sent by browsers and clients as they are, and harmless: WHATWG URLs leave them so in a query. */
const TOLERATED_TARGET_CHARS = '"<>\\^`{|}';

/** 1 for each code that may stand in a token. */
export const TOKEN: Uint8Array = table(TOKEN_CHARS);
/** 1 for each code that may stand in a request target. */
export const TARGET: Uint8Array = table(TARGET_CHARS + TOLERATED_TARGET_CHARS);
/** 1 for each code that may stand in a field's value: tab, space, visible characters, and above ASCII. */
export const FIELD_VALUE: Uint8Array = fieldValue();

export function isToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let i = 0; i < text.length; i++) if (TOKEN[text.charCodeAt(i)] !== 1) return false;
  return true;
}

/** Whether `text` may be the value of a field as it is sent. */
export function isFieldValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (FIELD_VALUE[text.charCodeAt(i)] !== 1) return false;
  return true;
}

function table(chars: string): Uint8Array {
  const codes = new Uint8Array(256);
  for (let i = 0; i < chars.length; i++) codes[chars.charCodeAt(i)] = 1;
  return codes;
}

function fieldValue(): Uint8Array {
  const codes = new Uint8Array(256).fill(1, SPACE);
  codes[TAB] = 1;
  codes[127] = 0;
  return codes;
}

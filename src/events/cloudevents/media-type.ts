import { trimmed } from '../../base/ows.ts';

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PARAMETER =
  /;[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e])*"))?[ \t]*/y;
const LONGEST = 256;

export interface MediaType {
  /** Lower case. */
  readonly type: string;
  readonly subtype: string;
  /** Lower case; null where it names none. */
  readonly charset: string | null;
}

/** Reads `type/subtype; name=value` (RFC 9110, 8.3.1; RFC 2046); null where it is no media type, or longer than 256 characters. */
export function readMediaType(text: string): MediaType | null {
  if (text.length > LONGEST) return null;
  const end = text.indexOf(';');
  const essence = trimmed(end === -1 ? text : text.slice(0, end)).toLowerCase();
  const slash = essence.indexOf('/');
  if (slash === -1) return null;
  const type = essence.slice(0, slash);
  const subtype = essence.slice(slash + 1);
  if (!TOKEN.test(type) || !TOKEN.test(subtype)) return null;
  let charset: string | null = null;
  PARAMETER.lastIndex = end === -1 ? text.length : end;
  while (PARAMETER.lastIndex < text.length) {
    const parameter = PARAMETER.exec(text);
    if (parameter === null) return null;
    const [, name, value] = parameter;
    if (name?.toLowerCase() === 'charset') charset ??= unquoted(value!).toLowerCase();
  }
  return { type, subtype, charset };
}

/** What the JSON format of CloudEvents calls JSON: any type whose subtype is `json` or ends in `+json`. */
export function isJson({ subtype }: MediaType): boolean {
  return subtype === 'json' || subtype.endsWith('+json');
}

/** Whether text of this type is UTF-8: where it says so, or nothing. ASCII is a part of it. */
export function isUtf8({ charset }: MediaType): boolean {
  return charset === null || charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii';
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
}

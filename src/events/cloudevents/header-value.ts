/** What a field's value is, once its quotes and percent signs are taken out; or why it is none. */
export type Decoded = { readonly value: string } | { readonly problem: string };

const HEX = '0123456789ABCDEF';
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * The value of an attribute from a field's (HTTP binding 1.0.2, 3.1.3.2): double quotes are resolved first, then one round of
 * percent-decoding. Beyond the letter of the specification, a percent sign that encodes nothing is refused: two readers would read it in
 * two ways.
 */
export function decodeHeaderValue(raw: string): Decoded {
  if (/[^\t\x20-\x7e]/.test(raw)) return { problem: 'characters outside ASCII that are not percent-encoded' };
  const text = raw.includes('"') ? unquoted(raw) : raw;
  if (text === null) return { problem: 'a double quote that is not closed' };
  if (!text.includes('%')) return { value: text };
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return { problem: 'a percent sign that encodes nothing' };
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '%') {
      bytes[length++] = Number.parseInt(text.slice(i + 1, i + 3), 16);
      i += 2;
    } else bytes[length++] = text.charCodeAt(i);
  }
  try {
    return { value: utf8.decode(bytes.subarray(0, length)) };
  } catch {
    return { problem: 'percent-encoded bytes that are no UTF-8' };
  }
}

/** A field's value from an attribute's: spaces, double quotes, percent signs and all outside printable ASCII are percent-encoded. */
export function encodeHeaderValue(value: string): string {
  return value.replaceAll(/[^\x21\x23\x24\x26-\x7e]+/g, (run) => {
    let text = '';
    for (const byte of encoder.encode(run)) text += `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
    return text;
  });
}

/** RFC 9110, 5.6.4; null where a quote is not closed. */
function unquoted(raw: string): string | null {
  let text = '';
  let inside = false;
  for (let i = 0; i < raw.length; i++) {
    const sign = raw[i]!;
    if (sign === '"') inside = !inside;
    else if (inside && sign === '\\' && i + 1 < raw.length) text += raw[++i]!;
    else text += sign;
  }
  return inside ? null : text;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A token (RFC 9110, 5.6.2): a field's name, or a method. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && TOKEN.test(value);
}

/** A field's value as HTTP can carry it: visible Latin-1, blanks and tabs (RFC 9110, 5.5). */
export function isFieldValue(value: unknown): value is string {
  return typeof value === 'string' && VALUE.test(value);
}

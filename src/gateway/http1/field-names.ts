import { isToken } from './grammar.ts';

/** What is known of a field name, however it is written. */
export interface FieldName {
  readonly lower: string;
  /** Whether it is a name at all (RFC 9110, 5.1). */
  readonly valid: boolean;
}

/** Names that are remembered; components use few, and whoever makes them up must not fill the memory. */
const MAX_REMEMBERED = 2_000;
const MAX_REMEMBERED_CHARS = 64;

const known = new Map<string, FieldName>();

/** Looks a name up: the same few are used over and over, and both questions cost more than to remember their answers. */
export function fieldName(name: string): FieldName {
  const found = known.get(name);
  if (found !== undefined) return found;
  const made = { lower: name.toLowerCase(), valid: isToken(name) };
  if (known.size < MAX_REMEMBERED && name.length <= MAX_REMEMBERED_CHARS) known.set(name, made);
  return made;
}

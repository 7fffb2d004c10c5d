/** What a client asks for of a component that is open to it. */
export type AsyncWish =
  | {
      /** That the request is kept and run later. */
      readonly kind: 'keep';
      /** The query without what says so: empty, or beginning with `?`. */
      readonly query: string;
      /** By a `Prefer` field. */
      readonly preferred: boolean;
    }
  | {
      /** What became of one. */
      readonly kind: 'look';
      readonly id: string;
    };

const KEY = 'async';
/** As the admin API has it, too. */
const KEEPS: ReadonlySet<string> = new Set([KEY, `${KEY}=`, `${KEY}=true`]);
const PREFERENCE = 'respond-async';

/**
 * What is asked for by `?async` (also `?async=` and `?async=true`), `?async=ID` (GET and HEAD), or `Prefer: respond-async` (RFC 7240, 4.1); null: nothing of
 * the kind. OPTIONS is about the resource, and never kept.
 * @param query empty, or beginning with `?`.
 */
export function asyncWish(method: string, query: string, fields: readonly string[]): AsyncWish | null {
  if (method === 'OPTIONS') return null;
  const parts = query.length > 1 ? query.slice(1).split('&') : [];
  const asked = parts.find((part) => part === KEY || part.startsWith(`${KEY}=`));
  const id = asked === undefined || KEEPS.has(asked) ? '' : asked.slice(KEY.length + 1);
  // Of other methods it is a query like any other: nothing that changes something is taken for a look.
  if (id !== '') return method === 'GET' || method === 'HEAD' ? { kind: 'look', id } : null;
  const preferred = prefersAsync(fields);
  if (asked === undefined && !preferred) return null;
  const rest = parts.filter((part) => !KEEPS.has(part)).join('&');
  return { kind: 'keep', query: rest === '' ? '' : `?${rest}`, preferred };
}

/** `fields` without the preference, for it has been applied: whoever answers need not do so again. */
export function withoutPreference(fields: readonly string[]): string[] {
  const left: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const isPrefer = fields[i]!.toLowerCase() === 'prefer';
    const value = isPrefer ? preferencesIn(fields[i + 1]!).filter((one) => !isAsync(one)) : [fields[i + 1]!];
    if (value.length > 0) left.push(fields[i]!, value.join(', '));
  }
  return left;
}

function prefersAsync(fields: readonly string[]): boolean {
  for (let i = 0; i + 1 < fields.length; i += 2)
    if (fields[i]!.toLowerCase() === 'prefer' && preferencesIn(fields[i + 1]!).some(isAsync)) return true;
  return false;
}

/** A comma within quotes divides nothing. */
function preferencesIn(value: string): string[] {
  const found = value.match(/(?:"(?:[^"\\]|\\.)*"?|[^,"])+/g) ?? [];
  return found.map((one) => one.trim()).filter((one) => one !== '');
}

function isAsync(preference: string): boolean {
  const end = preference.search(/[\s;=]/);
  return (end === -1 ? preference : preference.slice(0, end)).toLowerCase() === PREFERENCE;
}

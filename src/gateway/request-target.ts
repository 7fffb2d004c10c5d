/** What a request line's target names. `path` begins with a slash; `query` is empty or begins with `?`. */
export interface RequestTarget {
  /** Host and port of an absolute-form target; null for the usual origin form. */
  readonly authority: string | null;
  readonly path: string;
  readonly query: string;
}

// Dot segments, percent-encoded ones too, and backslashes, which every URL parser turns into slashes.
const NEEDS_RESOLVING = /\\|\/\.|%2e/i;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;

/**
 * Reads a request target in origin or absolute form (RFC 9112, 3.2); null for every other. The path comes out as the
 * WHATWG URL parser would leave it: components see what was routed, so that no `..` leads from one to another.
 */
export function readTarget(raw: string): RequestTarget | null {
  let rest = raw;
  let authority: string | null = null;
  if (raw.charCodeAt(0) !== 47 /* / */) {
    const match = ABSOLUTE.exec(raw);
    if (match === null) return null;
    authority = match[1]!;
    rest = match[2]!.startsWith('/') ? match[2]! : `/${match[2]!}`;
  }
  const mark = rest.indexOf('?');
  const path = mark === -1 ? rest : rest.slice(0, mark);
  const query = mark === -1 ? '' : rest.slice(mark);
  return { authority, path: NEEDS_RESOLVING.test(path) ? resolved(path) : path, query };
}

function resolved(path: string): string {
  return new URL(`http://host${path}`).pathname;
}

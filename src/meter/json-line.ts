type Path = readonly PropertyKey[];

const SPACE = /\s*/y;
const STRING = /"(?:[^"\\]|\\.)*"/sy;

/**
 * In which line of `text`, which is JSON, the value at `path` stands, from 1 on; of what is not there, the nearest that it would be a part of.
 * Where an object has a key twice it is the last, as for JSON.parse.
 */
export function lineOf(text: string, path: Path): number {
  let at = skip(text, 0, SPACE);
  for (const part of path) {
    const next = partAt(text, at, part);
    if (next === null) break;
    at = next;
  }
  return text.slice(0, at).split('\n').length;
}

/** Where the value of `part` begins in the object or list at `at`; null where there is none. */
function partAt(text: string, at: number, part: PropertyKey): number | null {
  const open = text[at];
  if (open !== '{' && open !== '[') return null;
  let found: number | null = null;
  let next = skip(text, at + 1, SPACE);
  for (let i = 0; next < text.length && text[next] !== '}' && text[next] !== ']'; i++) {
    let key: PropertyKey = i;
    if (open === '{') {
      const end = skip(text, next, STRING);
      key = JSON.parse(text.slice(next, end)) as string;
      next = skip(text, skip(text, end, SPACE) + 1, SPACE);
    }
    if (key === part) found = next;
    next = skip(text, afterValue(text, next), SPACE);
    if (text[next] === ',') next = skip(text, next + 1, SPACE);
  }
  return found;
}

function afterValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const letter = text[at]!;
    if (letter === '"') {
      at = skip(text, at, STRING);
      if (depth === 0) return at;
      continue;
    }
    if (letter === '{' || letter === '[') depth++;
    else if (letter === '}' || letter === ']') {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (letter === ',' && depth === 0) return at;
    at++;
  }
  return at;
}

/** Where what `what` matches at `at` ends. */
function skip(text: string, at: number, what: RegExp): number {
  what.lastIndex = at;
  return at + (what.exec(text)?.[0].length ?? 0);
}

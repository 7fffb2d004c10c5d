import { MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES } from './limits.ts';

/** Where bundles lie in a release's tree. The rest of `.fulcrum` is the server's own. */
export const BUNDLES_FOLDER = '.fulcrum/bundles';

/** C0, DEL and C1: no file of an app is called so by intention, and a terminal that shows one can be taken over. */
const CONTROL = /\p{Cc}/u;
const DOT_ENV = /^\.env(?:rc|\..*)?$/i;

/**
 * What is wrong with `path` as a path of a release: relative, `/` between names, no `.` or `..`, nothing that a file system or a terminal
 * could take for something else. Null where nothing is.
 */
export function pathProblem(path: string): string | null {
  if (path === '') return 'is empty';
  if (!path.isWellFormed()) return 'is no valid Unicode';
  if (path.includes('\0')) return 'holds a NUL character';
  if (CONTROL.test(path)) return 'holds a control character';
  if (path.includes('\\')) return 'holds a backslash';
  if (path.startsWith('/')) return 'is absolute';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  const names = path.split('/');
  if (names.length > MAX_DEPTH) return `is deeper than ${MAX_DEPTH} folders`;
  for (const name of names) {
    if (name === '') return 'has an empty name between its slashes';
    if (name === '.' || name === '..') return `has '${name}' in it`;
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `has a name longer than ${MAX_NAME_BYTES} bytes`;
    if (isSecretFile(name)) return 'is an .env file, which holds secrets and is never deployed';
  }
  return reservedProblem(path);
}

/** Whether a file of this name holds secrets by convention (`.env`, `.env.local`, `.envrc`). */
export function isSecretFile(name: string): boolean {
  return DOT_ENV.test(name);
}

/** What file systems that ignore case, or know one spelling of an accent only, take for the same. */
export function folded(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase();
}

function reservedProblem(path: string): string | null {
  const key = folded(path);
  if (key !== '.fulcrum' && !key.startsWith('.fulcrum/')) return null;
  const names = path.split('/');
  if (path.startsWith(`${BUNDLES_FOLDER}/`) && names.length === 4) return null;
  return "lies in .fulcrum, which is the server's own";
}

/**
 * What is wrong with `target`, what the link at `path` holds, by itself: relative, `..` only at its beginning, and within the tree.
 * Null where nothing is. With `..` at the beginning only, and every link within the tree, no chain of links leads out either: each `..`
 * counts from the link's own folder, which is a real one.
 */
export function linkProblem(path: string, target: string): string | null {
  if (target === '') return 'leads nowhere';
  if (!target.isWellFormed()) return 'is no valid Unicode';
  if (CONTROL.test(target)) return 'holds a control character';
  if (target.includes('\\')) return 'holds a backslash';
  if (target.startsWith('/')) return 'is absolute';
  if (Buffer.byteLength(target) > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  const names = target.split('/');
  const ups = names.findIndex((name) => name !== '..');
  const up = ups === -1 ? names.length : ups;
  for (const name of names.slice(up)) {
    // `a/./b` and `a//b` say the same as `a/b`; there is no need for a second spelling.
    if (name === '.' && names.length === 1) continue;
    if (name === '' || name === '.') return 'is not written in its shortest form';
    if (name === '..') return "has '..' after a name";
    if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `has a name longer than ${MAX_NAME_BYTES} bytes`;
  }
  const depth = path.split('/').length - 1;
  return up > depth ? "leads out of the app's folder" : null;
}

/** The path that `target`, held by the link at `path`, names; empty for the tree itself. Both must be without a problem. */
export function linkedPath(path: string, target: string): string {
  const names = path.split('/').slice(0, -1);
  for (const name of target.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '.') names.push(name);
  }
  return names.join('/');
}

/** As many links as Linux follows before it gives up (ELOOP). */
const MAX_HOPS = 40;

interface Led {
  /** Has no link on its way. */
  readonly real: string;
  readonly hops: number;
}

/**
 * Where paths lead in a tree with these links (path → target), which must be without a problem each: the real path, empty for the tree itself;
 * null for a circle. Each link is followed once, however many lead over it, so that all of them take no longer than their paths are long.
 */
export function linksIn(links: ReadonlyMap<string, string>): (path: string) => string | null {
  const known = new Map<string, Led | null>();

  /** Or the first link on the way that is not known. */
  const look = (path: string): Led | null | { readonly needs: string } => {
    let real = '';
    let hops = 0;
    for (const name of path === '' ? [] : path.split('/')) {
      const place = real === '' ? name : `${real}/${name}`;
      const led = links.has(place) ? known.get(place) : { real: place, hops: 0 };
      if (led === undefined) return { needs: place };
      if (led === null) return null;
      real = led.real;
      hops += led.hops;
      if (hops > MAX_HOPS) return null;
    }
    return { real, hops };
  };

  /** Without recursion: a chain may be as long as a release has files. */
  const follow = (first: string): void => {
    const waiting = [first];
    const begun = new Set<string>();
    for (let link = waiting.at(-1); link !== undefined; link = waiting.at(-1)) {
      if (known.has(link)) {
        waiting.pop();
        continue;
      }
      begun.add(link);
      const led = look(linkedPath(link, links.get(link)!));
      if (led === null) known.set(link, null);
      else if (!('needs' in led)) known.set(link, { real: led.real, hops: led.hops + 1 });
      else if (begun.has(led.needs)) known.set(led.needs, null);
      else waiting.push(led.needs);
    }
  };

  return (path) => {
    for (let led = look(path); ; led = look(path)) {
      if (led === null) return null;
      if (!('needs' in led)) return led.real;
      follow(led.needs);
    }
  };
}

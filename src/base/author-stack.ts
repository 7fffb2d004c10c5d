import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Stacks as an author wants to see them: with paths as they are in their own folder, without our frames, and without what Node did
 * below theirs. On a server that also keeps where an app lies there out of logs and answers. Text in, text out: the stacks that an
 * error really has stay as V8 made them, for the author's own code to read.
 */

/** What ours is called where it must be told all the same. */
const OURS_SHOWN = 'fulcrum:';
/** Ours in this process: `src` in a checkout, `dist` in a package. */
const OWN_ROOT = `${dirname(import.meta.dirname)}/`;
/** The sdk, which is in the bundle, as its source map names it once the app has been deployed. */
const BUNDLED_SDK = /(?:^|\/)node_modules\/fulcrum\//;
/** Longer lines are no frames. Lines come from anybody's code, and each is looked at on its way into the log. */
const MAX_LINE = 2_048;
const LEAD = /^\s*at (?:async )?/;
const POSITION = /:\d{1,9}:\d{1,9}$/;
const ANY_FRAME = /^\s*at \S/;
/** `    ... 4 lines matching cause stack trace ...`, as Node abbreviates. */
const ABBREVIATED = /^\s*\.\.\. \d+ lines? matching /;
/** `/app/server.js:3`, above the line that Node shows of a file. */
const PLACE = /^((?:file:\/\/)?\/\S[^:]*)(:\d{1,9})$/;
/** A path further away than this has nothing to do with the app. */
const MAX_STEPS_UP = 4;

/**
 * `text`, of which any lines may be stacks, for an author.
 * @param root the app's folder, absolute.
 */
export function authorText(text: string, root: string): string {
  if (!text.includes('\n')) return authorLine(text, root);
  const lines = text.split('\n');
  if (!lines.some((line) => ANY_FRAME.test(line)))
    return lines.map((line) => authorLine(line, root)).join('\n');
  const kept: string[] = [];
  for (let at = 0; at < lines.length;) {
    let end = at;
    while (end < lines.length && (ANY_FRAME.test(lines[end]!) || ABBREVIATED.test(lines[end]!))) end += 1;
    if (end === at) {
      kept.push(authorLine(lines[at]!, root));
      at += 1;
    } else {
      kept.push(...authorFrames(lines.slice(at, end), root));
      at = end;
    }
  }
  return kept.join('\n');
}

/** One line of a program's output: no line is taken out, for the others of its stack are not known here. */
export function authorLine(line: string, root: string): string {
  const frame = frameIn(line);
  if (frame !== null) return `${frame.before}${shownPath(frame.path, root)}${frame.after}`;
  const place = line.length > MAX_LINE ? null : PLACE.exec(line);
  return place === null ? line : `${shownPath(place[1]!, root)}${place[2]}`;
}

/** The frames of `stack` that are the author's, a line each, as they stand there. */
export function authorsFrames(stack: string): string[] {
  return stack.split('\n').filter((line) => ANY_FRAME.test(line) && isAuthors(line));
}

/** The message of an error, in which paths may be named: those of the app as the author knows them. */
export function authorMessage(message: string, root: string): string {
  if (!message.includes(root)) return message;
  return message.replaceAll(`file://${root}/`, '').replaceAll(`${root}/`, '');
}

/** Frames that follow each other: to the author's last one, without ours. Where none is the author's, all. */
function authorFrames(frames: readonly string[], root: string): string[] {
  const last = frames.findLastIndex((line) => isAuthors(line));
  if (last === -1) return frames.map((line) => authorLine(line, root));
  const kept = frames
    .slice(0, last + 1)
    .filter((line) => !isOurs(line))
    .map((line) => authorLine(line, root));
  // What follows a stack in a printed error begins behind its last frame.
  if (last < frames.length - 1 && frames.at(-1)!.endsWith(' {')) kept.push(`${kept.pop()!} {`);
  return kept;
}

function isAuthors(line: string): boolean {
  return frameIn(line) !== null && !isOurs(line);
}

function isOurs(line: string): boolean {
  const frame = frameIn(line);
  if (frame === null) return false;
  const path = pathOf(frame.path);
  return path.startsWith(OWN_ROOT) || BUNDLED_SDK.test(path);
}

/** `    at name (path:1:2)`, `    at async path:1:2`, in a list of causes indented further; ` {` may follow. Null where it names no file. */
function frameIn(line: string): { before: string; path: string; after: string } | null {
  if (line.length > MAX_LINE) return null;
  const lead = LEAD.exec(line)?.[0].length ?? 0;
  if (lead === 0) return null;
  const tail = line.endsWith(' {') ? 2 : 0;
  const bracket = line.at(-1 - tail) === ')' ? 1 : 0;
  const told = line.slice(0, line.length - tail - bracket);
  const position = POSITION.exec(told.slice(-24))?.[0].length ?? 0;
  if (position === 0) return null;
  const begin = bracket === 0 ? lead : line.indexOf(' (') + 2;
  const path = told.slice(begin, told.length - position);
  // Relative ones have been told to the author already, in the component that was called. `node:`, `<anonymous>`, `eval at …` are none.
  if (begin === 1 || !/^(?:file:\/\/\/|[^<:]+$)/.test(path)) return null;
  return { before: line.slice(0, begin), path, after: line.slice(begin + path.length) };
}

function shownPath(written: string, root: string): string {
  const path = pathOf(written);
  if (!path.startsWith('/')) return written;
  if (path.startsWith(OWN_ROOT)) return `${OURS_SHOWN}${path.slice(OWN_ROOT.length)}`;
  const way = relative(root, path);
  const steps = /^(?:\.\.\/)*/.exec(way)![0].length / 3;
  const common = root.split('/').length - 1 - steps;
  return steps === 0 || (steps <= MAX_STEPS_UP && common > 0) ? way : path;
}

function pathOf(written: string): string {
  if (!written.startsWith('file://')) return written;
  try {
    return fileURLToPath(written);
  } catch {
    return written;
  }
}

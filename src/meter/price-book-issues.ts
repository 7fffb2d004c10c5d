import type { z } from 'zod';
import { FulcrumError } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import { lineOf } from './json-line.ts';

type Path = readonly PropertyKey[];

/** One thing that is wrong with a book. */
export interface BookIssue {
  /** Where: empty for the book as a whole. */
  readonly at: Path;
  /** What stands there, shortened. */
  readonly found: string;
  readonly message: string;
  /** What would be right. */
  readonly expected: string;
}

const LONGEST = 60;
/** A file that is something else altogether has as many as it has keys. */
const MOST_SHOWN = 12;

/** `book-invalid` with all of `issues` of the book in `text`; `details` is `{ file, issues }`, each with its path and line. */
export function bookInvalid(file: string, issues: readonly BookIssue[], text: string): FulcrumError {
  const placed = issues.map(({ at, ...issue }) => ({ path: pathText(at), line: lineOf(text, at), ...issue }));
  const count = issues.length === 1 ? 'one problem' : `${issues.length} problems`;
  const lines = placed
    .slice(0, MOST_SHOWN)
    .map((issue) =>
      [
        `  ${issue.path === '' ? 'The book' : issue.path} (line ${issue.line}): ${issue.message}`,
        `    found     ${issue.found}`,
        `    expected  ${issue.expected}`,
      ].join('\n'),
    );
  const more = issues.length > MOST_SHOWN ? [`  …and ${issues.length - MOST_SHOWN} more`] : [];
  return new FulcrumError('book-invalid', [`${file} has ${count}:`, ...lines, ...more].join('\n\n'), {
    details: { file, issues: placed },
  });
}

/** Where in the book, as it would be written in JavaScript. */
function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const key = String(part);
    if (!/^[A-Za-z_$][\w$]*$/.test(key)) return `${text}[${JSON.stringify(shorten(key))}]`;
    return text === '' ? key : `${text}.${key}`;
  }, '');
}

/** What zod found, in our words. `keysAt` tells which keys an object may have at a path. */
export function fromSchema(issue: z.core.$ZodIssue, keysAt: (path: Path) => readonly string[]): BookIssue[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const known = keysAt(issue.path);
      const near = nearest(key, known);
      return {
        at: [...issue.path, key],
        found: `the key ${JSON.stringify(shorten(key))}`,
        message: 'unknown key',
        expected: near === null ? `one of ${known.join(', ')}` : near,
      };
    });
  return [issueAt(issue.path, issue.input, problemOf(issue), issue.message)];
}

export function issueAt(path: Path, found: unknown, message: string, expected: string): BookIssue {
  return { at: path, found: foundText(found), message, expected };
}

function problemOf(issue: z.core.$ZodIssue): string {
  if (issue.input === undefined) return 'missing';
  return issue.code === 'invalid_type' ? 'of the wrong type' : 'not one of the values there are';
}

function foundText(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value);
    return keys.length === 0 ? 'an empty object' : `an object with ${shorten(keys.join(', '))}`;
  }
  return JSON.stringify(typeof value === 'string' ? shorten(value) : value);
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

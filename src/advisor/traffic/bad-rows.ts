import { FulcrumError } from '../../base/errors.ts';

/** What is wrong with a row: what stands there, and what should. */
export interface Fault {
  readonly found: string;
  readonly expected: string;
}

/** `line` from 1; 0 where it is of the whole file. */
export interface BadRow extends Fault {
  readonly file: string;
  readonly line: number;
}

const SHOWN = 20;
const FOUND_LENGTH = 80;

/** Rows that could not be understood: how many, and the first of them. */
export class BadRows {
  readonly #strict: boolean;
  readonly first: BadRow[] = [];
  #count = 0;

  /** @param strict the first one ends the import. */
  constructor(strict: boolean) {
    this.#strict = strict;
  }

  get count(): number {
    return this.#count;
  }

  /** Throws `trace-invalid` where the import is strict. */
  add(file: string, line: number, { found, expected }: Fault): void {
    const row = { file, line, found: cut(found), expected };
    if (this.#strict) throw traceInvalid(row);
    this.#count++;
    if (this.first.length < SHOWN) this.first.push(row);
  }
}

/** The one sentence on a bad row: `access.log:12: found "…", expected …`. */
export function badRowText({ file, line, found, expected }: BadRow): string {
  return `${line === 0 ? file : `${file}:${line}`}: found ${found === '' ? 'nothing' : `"${found}"`}, expected ${expected}`;
}

export function traceInvalid(row: BadRow): FulcrumError {
  return new FulcrumError('trace-invalid', `${badRowText({ ...row, found: cut(row.found) })}.`);
}

function cut(text: string): string {
  return text.length <= FOUND_LENGTH ? text : `${text.slice(0, FOUND_LENGTH - 1)}…`;
}

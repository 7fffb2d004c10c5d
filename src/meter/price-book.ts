import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FulcrumError, messageOf } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import type { PriceBook } from '../model/price-book.ts';
import { bookInvalid, fromSchema, issueAt } from './price-book-issues.ts';
import { bookRules } from './price-book-rules.ts';
import { priceBookSchema } from './price-book-schema.ts';

export { isVerified } from './price/verified.ts';

const FOLDER = join(import.meta.dirname, 'books');
/** A book is some kilobytes; a file that is larger is something else. */
const MOST_BYTES = 1024 ** 2;

/** The ids of the books that come with Fulcrum, in alphabetical order. */
export function shippedIds(): readonly string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();
}

/** The books that come with Fulcrum, in the order of their ids. */
export function shippedBooks(): readonly PriceBook[] {
  return shippedIds().map((id) => readBook(join(FOLDER, `${id}.json`)));
}

/**
 * The book of this id; or the one in this file, where `name` ends in `.json` or has a slash.
 * @throws FulcrumError `usage` where there is no such book or file, `book-invalid` where the file is no book.
 */
export function openBook(name: string): PriceBook {
  if (name.endsWith('.json') || /[/\\]/.test(name)) return readBook(name);
  const ids = shippedIds();
  if (ids.includes(name)) return readBook(join(FOLDER, `${name}.json`));
  const near = nearest(name, ids);
  throw new FulcrumError(
    'usage',
    `There is no price book ${JSON.stringify(name)}. ${near === null ? '`fulcrum books ls` lists them; a file of your own ends in .json.' : `Did you mean ${near}?`}`,
  );
}

/** The book in `file`. @throws FulcrumError as {@link openBook}. */
export function readBook(file: string): PriceBook {
  return parseBook(textOf(file), file);
}

/**
 * @param file what errors call it.
 * @throws FulcrumError `book-invalid`, with everything that is wrong.
 */
export function parseBook(content: string, file: string): PriceBook {
  // Editors of some systems begin a file with it.
  const text = content.replace(/^\uFEFF/, '');
  const value = jsonOf(text, file);
  const checked = priceBookSchema.safeParse(value, { reportInput: true });
  if (!checked.success)
    throw bookInvalid(
      file,
      checked.error.issues.flatMap((issue) => fromSchema(issue, keysAt)),
      text,
    );
  const issues = bookRules(checked.data);
  if (issues.length > 0) throw bookInvalid(file, issues, text);
  return checked.data;
}

function textOf(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MOST_BYTES)
      throw bookInvalid(file, [issueAt([], `${size} bytes`, 'too large', `${MOST_BYTES} bytes at most`)], '');
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof FulcrumError) throw error;
    throw new FulcrumError('usage', `${file} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = messageOf(error);
    const at = /\(line (\d+) column (\d+)\)/.exec(message);
    const where = at === null ? 'at its end' : `line ${at[1]}, column ${at[2]}`;
    throw new FulcrumError(
      'book-invalid',
      `${file} is no JSON, ${where}: ${message.replace(/ in JSON at position.*$/s, '')}.`,
      {
        cause: error,
        details: { file, ...(at === null ? {} : { line: Number(at[1]), column: Number(at[2]) }) },
      },
    );
  }
}

/** The keys that an object may have at `path`. */
function keysAt(path: readonly PropertyKey[]): readonly string[] {
  let schema: z.core.$ZodType = inner(priceBookSchema);
  for (const part of path) {
    if (schema instanceof z.ZodArray) schema = inner(schema.element);
    else if (schema instanceof z.ZodObject)
      schema = inner((schema.shape as Readonly<Record<PropertyKey, z.core.$ZodType>>)[part]!);
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** What looks at the value itself, without wrappers. */
function inner(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodNullable || schema instanceof z.ZodOptional)
    return inner(schema.unwrap());
  if (!(schema instanceof z.ZodPipe)) return schema;
  // A preprocess is a pipe out of a transform, everything else is one into it.
  return inner(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
}

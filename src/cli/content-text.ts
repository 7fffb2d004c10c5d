import { writeFile } from 'node:fs/promises';
import { formatBytes } from '../base/bytes.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import type { Content } from '../control/content.ts';
import { printable } from './terminal.ts';

/** What a person reads of it: JSON with its lines and numbers as they are, text, or what is there instead. Empty where nothing is. */
export function contentText(content: Content): string {
  const { contentType, sizeBytes, text } = content;
  if (sizeBytes === 0) return '';
  if (text === null)
    return `(${formatBytes(sizeBytes)} of ${contentType}, which is no text; --out FILE writes it)`;
  return printable(isJson(contentType) ? (prettyJson(text) ?? text) : text);
}

/** Writes it as it is, to a file that is not there yet, or to standard output (`-`). Rejects with `usage`. */
export async function writeContent(content: Content, out: string): Promise<void> {
  const { text, base64 } = content;
  const bytes = text === null ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);
  if (out === '-') {
    process.stdout.write(bytes);
    return;
  }
  try {
    // Anybody's data: for whoever asked for it alone.
    await writeFile(out, bytes, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw new FulcrumError('usage', `--out ${out} cannot be written: ${messageOf(error)}.`, { cause: error });
  }
}

function isJson(contentType: string): boolean {
  return /^application\/(?:[^;\s]+\+)?json\s*(?:;|$)/i.test(contentType);
}

/** Of the language and of this Node, and not of TypeScript's library yet: https://tc39.es/proposal-json-parse-with-source/ */
interface JsonWithSource {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

/** Null where it is none. Numbers stay as they are written, though they may be none that JavaScript has. */
function prettyJson(text: string): string | null {
  const json = JSON as unknown as JsonWithSource;
  try {
    const value = json.parse(text, (_, inner, { source }) =>
      typeof inner === 'number' && source !== undefined ? json.rawJSON(source) : inner,
    );
    return JSON.stringify(value, null, 2);
  } catch {
    return null;
  }
}

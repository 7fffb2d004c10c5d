import type { FulcrumError } from '../base/errors.ts';
import { outputLines } from './error-output.ts';
import { findingLines, findingsOf } from './finding-lines.ts';
import { paint, printable } from './terminal.ts';

/** An error for a person, on stderr: the code, and a sentence that says what happened and what to do. */
export function reportError(error: FulcrumError): void {
  process.stderr.write(`${errorText(error)}\n`);
}

function errorText(error: FulcrumError): string {
  const head = paint('red', `error ${error.code}:`, process.stderr);
  const text = [`${head} ${printable(error.message)}`, ...outputLines(error), ...switchLines(error)].join(
    '\n',
  );
  // What broke inside Fulcrum can only be mended by somebody who sees where.
  const { cause } = error;
  if (error.code !== 'internal' || !(cause instanceof Error) || cause.stack === undefined) return text;
  return `${text}\n${paint('dim', printable(cause.stack), process.stderr)}`;
}

/** What a switch would break, where it was refused for that. */
function switchLines(error: FulcrumError): string[] {
  return error.code === 'switch-unsafe' ? findingLines(findingsOf(error.details), process.stderr) : [];
}

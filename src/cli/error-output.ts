import type { FulcrumError } from '../base/errors.ts';
import { printable } from './terminal.ts';

const MAX_LINES = 30;
const INDENT = '    ';

/**
 * What a component wrote before it failed to start, here or on the server: where the mistake is usually told. Empty where there is
 * nothing.
 */
export function outputLines(error: FulcrumError): string[] {
  const { output, log } = error.details;
  const text = Array.isArray(log) ? log.filter((line) => typeof line === 'string').join('\n') : output;
  if (typeof text !== 'string' || text.trim() === '') return [];
  return printable(text.trimEnd())
    .split('\n')
    .slice(-MAX_LINES)
    .map((line) => INDENT + line);
}

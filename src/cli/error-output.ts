import type { FulcrumError } from '../base/errors.ts';
import { printable } from './terminal.ts';

const MAX_LINES = 30;
const INDENT = '    ';

/** What a component wrote before it failed to start: where the mistake is usually told. Empty where there is nothing. */
export function outputLines(error: FulcrumError): string[] {
  const { output } = error.details;
  if (typeof output !== 'string' || output.trim() === '') return [];
  return printable(output.trimEnd())
    .split('\n')
    .slice(-MAX_LINES)
    .map((line) => INDENT + line);
}

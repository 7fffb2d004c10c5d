import { InvalidArgumentError, Option } from 'commander';
import { paint } from './terminal.ts';

/** A server answers with no more entries of a log. */
export const MAX_LOG_LINES = 10_000;

/** Options and help that several commands have in common. */
export function appOption(): Option {
  return new Option('--app <APP>', 'which app, by id, name or folder (else the one of this folder)');
}

export function urlOption(): Option {
  return new Option('--url <URL>', 'admin address of a server (else FULCRUM_URL, or this machine)');
}

export function jsonOption(): Option {
  return new Option('--json', 'print one JSON document');
}

export function examples(...lines: readonly string[]): () => string {
  return () => `\n${paint('bold', 'Examples:')}\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** Gathers what an option that may be given several times was given. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** Reads a whole number from `min` to `max`. */
export function numberIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It is a number from ${min} to ${max}.`);
  };
}

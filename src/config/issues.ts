import { FulcrumError } from '../base/errors.ts';

/** One thing that is wrong with a config. All four are for people; none ever holds a value of `env`. */
export interface ConfigIssue {
  /** Where, as it would be written in TypeScript: `components.catalog.routes[0].path`; empty for the config as a whole. */
  readonly path: string;
  /** What stands there, rendered and shortened. */
  readonly found: string;
  /** What is wrong with it. */
  readonly message: string;
  /** What would be right. */
  readonly expected: string;
}

export type ConfigPath = readonly (string | number)[];

/** `config-invalid` with all of `issues`: the message lists them, `details` is `{ file, issues }`. */
export function configInvalid(file: string, issues: readonly ConfigIssue[]): FulcrumError {
  const count = issues.length === 1 ? 'one problem' : `${issues.length} problems`;
  const message = [`${file} has ${count}:`, ...issues.map(renderIssue)].join('\n\n');
  return new FulcrumError('config-invalid', message, { details: { file, issues } });
}

function renderIssue(issue: ConfigIssue): string {
  return [
    `  ${issue.path === '' ? 'The config' : issue.path}: ${issue.message}`,
    `    found     ${issue.found}`,
    `    expected  ${issue.expected}`,
  ].join('\n');
}

/** `components.catalog.routes[0]`, `components['my-shop'].env`. What follows a `=` in a key is a value, and hidden. */
export function renderPath(path: ConfigPath): string {
  let text = '';
  for (const whole of path) {
    const part = typeof whole === 'string' ? whole.replace(/=.+$/s, '=…') : whole;
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[A-Za-z_$][\w$]*$/.test(part)) text += `[${quote(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** An issue at `path`. What is found there is rendered from `value`, and for what may be secret, such as anything inside an `env`, only by its kind. */
export function issueAt(
  path: ConfigPath,
  value: unknown,
  about: { readonly message: string; readonly expected: string },
): ConfigIssue {
  return {
    path: renderPath(path),
    found: isSecret(path) ? kindOf(value) : renderValue(value),
    message: about.message,
    expected: about.expected,
  };
}

/** An environment may hold secrets that were written where they should not be, and a token is one. */
function isSecret(path: ConfigPath): boolean {
  if (path[0] === 'events') return path[1] === 'endpoint' && path[2] === 'token';
  return path[0] === 'env' || (path[0] === 'components' && path[2] === 'env');
}

const LONGEST_TEXT = 80;
const MOST_KEYS = 8;

/** Shows strings, numbers and booleans as they are, and of everything larger only its outline. */
function renderValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  return kindOf(value);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  const keys = Object.keys(value);
  if (keys.length === 1 && keys[0] === '$secret') return 'a secret';
  if (keys.length === 0) return 'an empty object';
  const shown = keys.slice(0, MOST_KEYS).map((key) => shorten(key));
  return `an object with ${shown.join(', ')}${keys.length > MOST_KEYS ? ', …' : ''}`;
}

/** In single quotes, on one line, shortened, and without the password of a URL. */
export function quote(text: string): string {
  const safe = shorten(text).replaceAll(/(:\/\/)[^/@\s]*@/g, '$1…@');
  return `'${JSON.stringify(safe)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"')
    .replaceAll("'", String.raw`\'`)}'`;
}

function shorten(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text;
}

/** `a`, `a or b`, `a, b or c`. */
export function anyOf(choices: readonly string[]): string {
  if (choices.length < 2) return choices.join('');
  return `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

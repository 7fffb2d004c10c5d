import type { Mode } from '../model/app.ts';

/** `warning`: requests would get wrong answers, or work would be lost. `note`: worth knowing; refuses nothing. */
export type Severity = 'warning' | 'note';

/** What would change for a component in another mode, and where the author's code says so. */
export interface Finding {
  readonly rule: Rule;
  readonly severity: Severity;
  /** The author's own file, relative to the app's folder, `/` between names. Null where the finding has no place. */
  readonly file: string | null;
  /** From 1; 0 where there is no place. */
  readonly line: number;
  /** From 1; 0 where there is no place. */
  readonly column: number;
  /** The line as the author wrote it; as it was bundled, where the source is not at hand. At most {@link MAX_LINE_CHARS}. */
  readonly lineText: string;
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
}

export const MAX_LINE_CHARS = 200;

/** What can be found, on the way to which mode, and what to do about it. `any`: either way. */
export const RULES = {
  // To a service: what several requests at a time in one process get in each other's way with.
  'shared-variable': {
    to: 'service',
    advice: 'Keep it in a local variable and pass it on, or in an AsyncLocalStorage.',
  },
  'shared-object': {
    to: 'service',
    advice: 'Make the object inside the handler, or keep the value in an AsyncLocalStorage.',
  },
  'shared-entry': {
    to: 'service',
    advice: 'Make sure that no two requests use the same key, and that entries are removed again.',
  },
  'shared-counter': {
    to: 'service',
    advice: 'Nothing to do, if it is meant to count over all requests of the process.',
  },
  'shared-value': {
    to: 'service',
    advice: 'Nothing to do, if one value for all requests is meant.',
  },
  'process-env': {
    to: 'service',
    advice: 'Pass the value on as an argument: process.env belongs to the whole process.',
  },
  'process-cwd': {
    to: 'service',
    advice: 'Use absolute paths: the working directory belongs to the whole process.',
  },
  'process-umask': {
    to: 'service',
    advice: 'Give the mode to the call that makes the file: the umask belongs to the whole process.',
  },
  'process-exit': { to: 'service', advice: 'Throw an error or return an answer instead.' },
  'global-change': {
    to: 'service',
    advice: 'Change it once, while the module is loaded, or not at all.',
  },
  'listener-leak': {
    to: 'service',
    advice: 'Subscribe once, while the module is loaded, or remove the listener when the request ends.',
  },
  'blocks-others': { to: 'service', advice: 'Use the asynchronous form of the call.' },

  // To a function: what needs a process that stays.
  'memory-state': {
    to: 'function',
    advice: 'Keep it in a database or a file of the component’s storage.',
  },
  'memory-session': { to: 'function', advice: 'Give the library a store that lasts, such as a database.' },
  'lost-counter': { to: 'function', advice: 'Count in a database, if the count must be right.' },
  timer: {
    to: 'function',
    advice: 'Give a component a `schedule`, or await what the timer is for.',
  },
  background: {
    to: 'function',
    advice: 'Await it, or hand it to `ctx.waitUntil`.',
  },
  server: {
    to: 'function',
    advice: 'Answer in `fetch` and `websocket`; a server of its own needs a service.',
  },
  connection: {
    to: 'function',
    advice: 'Open it in `onStart`, with few connections for each instance, or stay a service.',
  },
  websocket: { to: 'function', advice: 'Stay a service where connections are to last.' },
  worker: { to: 'function', advice: 'Start it in the handler and await it, or stay a service.' },
  watcher: { to: 'function', advice: 'Read the file when it is needed, or stay a service.' },
  'local-file': { to: 'function', advice: 'Write below a folder that `storage` names.' },
  subscription: {
    to: 'function',
    advice: 'Publish it with `env.events`, or send it through a broker: other instances do not hear of it.',
  },

  'not-checked': {
    to: 'any',
    advice: 'Look for state between requests, timers and sockets by hand.',
  },
} as const satisfies Record<string, { to: Mode | 'any'; advice: string }>;

export type Rule = keyof typeof RULES;

/** In a fixed order: warnings first, then by file, place and rule. */
export function inOrder(a: Finding, b: Finding): number {
  if (a.severity !== b.severity) return a.severity === 'warning' ? -1 : 1;
  if (a.file !== b.file) return (a.file ?? '') < (b.file ?? '') ? -1 : 1;
  if (a.line !== b.line) return a.line - b.line;
  if (a.column !== b.column) return a.column - b.column;
  return a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0;
}

/** A finding that has no place: what could not be looked at. */
export function notChecked(message: string): Finding {
  return {
    rule: 'not-checked',
    severity: 'note',
    file: null,
    line: 0,
    column: 0,
    lineText: '',
    message,
    advice: RULES['not-checked'].advice,
  };
}

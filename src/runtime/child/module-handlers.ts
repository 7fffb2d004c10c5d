import { pathToFileURL } from 'node:url';
import type { HandlerList } from '../../model/instance.ts';
import { MAX_FUNCTIONS } from '../wire/limits.ts';
import type { FetchHandler } from './http-invocation.ts';

type Handler = (input: unknown, env: unknown, context: unknown) => unknown;

/** What a component's module can be asked to do. */
export interface ModuleHandlers {
  readonly fetch: FetchHandler | null;
  readonly scheduled: Handler | null;
  readonly queue: Handler | null;
  readonly websocket: Handler | null;
  readonly functions: ReadonlyMap<string, NamedFunction>;
  /** Once when the module has been loaded, before anything is forked from it. */
  readonly onLoad: Hook | null;
  /** In each instance, before its first invocation. */
  readonly onStart: Hook | null;
}

export type NamedFunction = (...args: unknown[]) => unknown;
type Hook = (env: unknown) => unknown;

/** Of a module that has not been loaded. */
export const NO_HANDLERS: ModuleHandlers = {
  fetch: null,
  scheduled: null,
  queue: null,
  websocket: null,
  functions: new Map(),
  onLoad: null,
  onStart: null,
};

/** What the sdk's `idempotent` sets on a function. */
const IDEMPOTENT = Symbol.for('fulcrum.idempotent');

/**
 * Imports the module at `path` and looks at what it exports. Throws what the import throws, and TypeError where it exports no handler.
 * @param apart of several that have the same path: by what this one is told from them, so that it is loaded for itself.
 */
export async function loadModule(path: string, apart: string | null = null): Promise<ModuleHandlers> {
  return readModule((await import(addressOf(path, apart))) as Record<string, unknown>);
}

/** By what {@link loadModule} imports it. */
export function addressOf(path: string, apart: string | null): string {
  const url = pathToFileURL(path);
  if (apart !== null) url.searchParams.set('member', apart);
  return url.href;
}

function readModule(exported: Readonly<Record<string, unknown>>): ModuleHandlers {
  const main = exported['default'];
  const functions = new Map<string, NamedFunction>();
  for (const [name, value] of Object.entries(exported)) {
    if (
      name === 'default' ||
      name === 'onLoad' ||
      name === 'onStart' ||
      typeof value !== 'function' ||
      isClass(value)
    )
      continue;
    if (functions.size >= MAX_FUNCTIONS)
      throw new TypeError(`The module exports more than ${MAX_FUNCTIONS} functions.`);
    functions.set(name, value as NamedFunction);
  }
  const fetch =
    typeof main === 'function' && !isClass(main) ? (main as FetchHandler) : handler(main, 'fetch');
  const scheduled = handler(main, 'scheduled');
  const queue = handler(main, 'queue');
  const websocket = handler(main, 'websocket');
  if (fetch === null && scheduled === null && queue === null && websocket === null && functions.size === 0) {
    throw new TypeError(
      'The module exports nothing that could be run: neither a default export with `fetch`, `websocket`, `scheduled` or `queue`, ' +
        'nor a named function.' +
        (isClass(main) ? ' Its default export is a class; export an object, such as an instance of it.' : ''),
    );
  }
  return {
    fetch,
    scheduled,
    queue,
    websocket,
    functions,
    onLoad: hook(exported, 'onLoad'),
    onStart: hook(exported, 'onStart'),
  };
}

export function listOf(handlers: ModuleHandlers): HandlerList {
  return {
    fetch: handlers.fetch !== null,
    scheduled: handlers.scheduled !== null,
    queue: handlers.queue !== null,
    websocket: handlers.websocket !== null,
    functions: [...handlers.functions.keys()],
    idempotent: [...handlers.functions].filter(([, run]) => isIdempotent(run)).map(([name]) => name),
  };
}

function isIdempotent(run: NamedFunction): boolean {
  return (run as { [IDEMPOTENT]?: unknown })[IDEMPOTENT] === true;
}

function handler(main: unknown, name: 'fetch' | 'scheduled' | 'queue' | 'websocket'): Handler | null {
  if (main === null || (typeof main !== 'object' && typeof main !== 'function')) return null;
  const value = (main as Record<string, unknown>)[name];
  if (value === undefined) return null;
  if (typeof value !== 'function') {
    throw new TypeError(`\`${name}\` of the module's default export is a ${typeof value}, not a function.`);
  }
  // Called on the export, whose `this` a framework's method needs; looked up each time, so that it may be replaced.
  return (input, env, context) => (main as Record<string, Handler>)[name]!(input, env, context);
}

/** A named export, or a member of the default export. */
function hook(exported: Readonly<Record<string, unknown>>, name: 'onLoad' | 'onStart'): Hook | null {
  const main = exported['default'] as Record<string, unknown> | null | undefined;
  const owner = exported[name] === undefined && typeof main === 'object' ? (main ?? {}) : exported;
  const value = owner[name];
  if (value === undefined) return null;
  if (typeof value !== 'function')
    throw new TypeError(`\`${name}\` of the module is a ${typeof value}, not a function.`);
  return (env) => Reflect.apply(value, owner, [env]) as unknown;
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

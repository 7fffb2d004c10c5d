/**
 * Finds what a module holds when it has been loaded that a fork cannot share out: sockets, servers, timers, watchers,
 * child processes, threads, open files. A revision that holds any runs on the spawn engine.
 */
import { createHook, type AsyncHook } from 'node:async_hooks';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** By the names of `process.getActiveResourcesInfo()` and of async_hooks, which differ a little, in words. */
const WORDS: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/^Timeout$/, 'a timer'],
  [/^Immediate$/, 'an immediate'],
  [/^(TCP|Pipe)Server/i, 'a server'],
  [/^HTTP2?/i, 'a connection'],
  [/^(TCP|TLS|Pipe)/i, 'a socket'],
  [/^(FSEvent|StatWatcher)/i, 'a file watcher'],
  [/^(Worker|MessagePort)/i, 'a worker thread'],
  [/^Process/i, 'a child process'],
  [/^UDP/i, 'a datagram socket'],
  [/^(FSReq|FileHandle|GetAddrInfo|DNS|Query)/i, 'a request to the system under way'],
];
const UNINTERESTING = new Set(['PROMISE', 'Microtask', 'RANDOMBYTESREQUEST']);
const UNREFERENCED = /^(Timeout|STATWATCHER)$/;
const MAX_REMEMBERED = 10_000;
/** How far back the asker is looked for. */
const MAX_STEPS = 8;
/** libuv's pool ends with the fork and begins anew when it is needed. */
const POOL_THREAD = 'libuv-worker';

interface Origin {
  readonly type: string;
  readonly trigger: number;
  alive: boolean;
  readonly error: Error;
}

export class ModuleResources {
  readonly #hook: AsyncHook;
  readonly #origins = new Map<number, Origin>();
  readonly #before: ReadonlyMap<string, string>;
  /** What is there without the module: standard output's streams, which Node itself asks for when a socket is closed. */
  readonly #ignored: string[];

  /**
   * Begins to watch. Nothing of the author's code has run.
   * @param leaving of the active resources there are now, the one that will have gone when {@link found} looks.
   */
  constructor(leaving: string) {
    this.#before = descriptors();
    this.#ignored = process.getActiveResourcesInfo();
    this.#ignored.splice(this.#ignored.indexOf(leaving), 1);
    this.#hook = createHook({
      init: (id, type, trigger) => {
        if (UNINTERESTING.has(type) || this.#origins.size >= MAX_REMEMBERED) return;
        this.#origins.set(id, { type, trigger, error: new Error('made here'), alive: true });
      },
      destroy: (id) => {
        const origin = this.#origins.get(id);
        if (origin !== undefined) origin.alive = false;
      },
    }).enable();
  }

  /** Ends the watch. @returns what is held, one line each, with the place where it was made if that is known. */
  found(): string[] {
    this.#hook.disable();
    const held = new Set<string>();
    const ignored = [...this.#ignored];
    for (const type of process.getActiveResourcesInfo()) {
      const known = ignored.indexOf(type);
      if (known >= 0) ignored.splice(known, 1);
      else held.add(this.#describe(type));
    }
    // Those that keep no process alive are not among the active ones, and would run in no fork.
    for (const { type, alive } of this.#origins.values()) {
      if (alive && UNREFERENCED.test(type)) held.add(this.#describe(type));
    }
    if (strangeThreads().length > 0) held.add(`a thread${this.#place(/^Worker/i)}`);
    if (childrenOfThis() !== '') held.add(`a child process${this.#place(/^Process/i)}`);
    const known = held.size > 0;
    for (const [descriptor, target] of descriptors()) {
      if (this.#before.get(descriptor) === target || target.startsWith('/proc/')) continue;
      if (target.startsWith('/')) held.add(`an open file (${target})`);
      // What has been found already has descriptors of its own.
      else if (known) continue;
      else if (target.startsWith('socket:')) held.add(`a socket${this.#place(/^(TCP|TLS|Pipe|UDP)/i)}`);
      else if (target.includes('inotify')) held.add(`a file watcher${this.#place(/^FSEvent/i)}`);
      else held.add(`an open descriptor (${target})`);
    }
    return [...held];
  }

  #describe(type: string): string {
    const known = WORDS.find(([pattern]) => pattern.test(type));
    if (known === undefined) return `${type}${this.#place(new RegExp(`^${type.slice(0, 3)}`, 'i'))}`;
    return `${known[1]}${this.#place(known[0])}`;
  }

  #place(pattern: RegExp): string {
    for (const origin of this.#origins.values()) {
      if (!origin.alive || !pattern.test(origin.type)) continue;
      // What Node makes a tick later was asked for by something that has the author's line.
      let from: Origin | undefined = origin;
      for (let step = 0; step < MAX_STEPS && from !== undefined; step++) {
        const place = authorsPlace(from.error.stack ?? '');
        if (place !== null) return ` (${place})`;
        from = this.#origins.get(from.trigger);
      }
    }
    return '';
  }
}

/**
 * The first place in a stack that is neither Node's nor ours: `path:line:column`, relative to the app's folder, which is the
 * zygote's own.
 */
export function authorsPlace(stack: string): string | null {
  for (const line of stack.split('\n').slice(1)) {
    const match = /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]+:\d+:\d+)\)?$/.exec(line);
    if (match === null || line.includes('node:')) continue;
    const [, path, position] = /^(.*?)(:\d+:\d+)$/.exec(match[1]!)!;
    const file = path!.startsWith('file://') ? fileURLToPath(path!) : path!;
    if (file.startsWith(OURS)) continue;
    const way = relative(process.cwd(), file);
    return `${way.startsWith('..') ? file : way}${position}`;
  }
  return null;
}

const OURS = fileURLToPath(new URL('../', import.meta.url));

function descriptors(): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      found.set(name, readlinkSync(`/proc/self/fd/${name}`));
    } catch {
      // The descriptor that listed the others.
    }
  }
  return found;
}

function childrenOfThis(): string {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim();
  } catch {
    return '';
  }
}

function strangeThreads(): string[] {
  const names: string[] = [];
  for (const task of readdirSync('/proc/self/task')) {
    if (Number(task) === process.pid) continue;
    try {
      const name = readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim();
      if (name !== POOL_THREAD) names.push(name);
    } catch {
      // It has just ended.
    }
  }
  return names;
}

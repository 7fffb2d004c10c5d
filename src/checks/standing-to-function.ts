import { originOf, type Origin } from './origin.ts';
import { Libraries } from './libraries.ts';
import type { Phases } from './phases.ts';
import type { Raw } from './raw.ts';
import { bare, calledName, functionAround, isFunction, isWithin, keyOf, type Node } from './syntax.ts';

const TIMER_MODULES = new Set(['', 'timers']);
const WRITES_FILE =
  /^(?:promises\.)?(?:writeFile|appendFile|createWriteStream|mkdir|cp|copyFile|rename|open|truncate|symlink|link)(?:Sync)?$/;
const SCRATCH = /^\/tmp(?:\/|$)|^\/var\/tmp/;

export interface StandingOptions {
  /** Whether the component has folders that last. */
  readonly hasStorage: boolean;
}

/** What needs a process that stays: timers, servers, connections, workers, watchers; and files that go when it does. */
export function standingToFunction(phases: Phases, options: StandingOptions): Raw[] {
  const { values } = phases;
  const found: Raw[] = [];
  for (const call of values.calls) {
    const around = functionAround(call);
    const isLoad = phases.isLoad(around) || phases.isBackground(around);
    const isRequest = phases.isRequest(around);
    if (isLoad || isRequest) look(call, isRequest);
  }
  for (const [fn, name] of phases.handlers) {
    if (name === 'websocket' && fn.parent !== null) {
      add(
        'websocket',
        fn.parent.type === 'Property' ? fn.parent : fn,
        'As a function each WebSocket is billed for as long as it lasts, and is closed when the timeout is over.',
      );
    }
  }
  return found;

  function add(rule: Raw['rule'], node: Node, message: string, severity: Raw['severity'] = 'warning'): void {
    found.push({ rule, severity, node, message });
  }

  function look(call: Node, isRequest: boolean): void {
    const origin = originOf(call['callee'], values);
    if (origin !== null && origin.made === 0) {
      if (TIMER_MODULES.has(origin.module) && timer(call, origin.name, isRequest)) return;
      if (origin.module === 'fs' || origin.module === 'fs/promises') files(call, origin, isRequest);
      if (
        origin.module === 'child_process' ||
        origin.module === 'worker_threads' ||
        origin.module === 'cluster'
      )
        processes(call, origin, isRequest);
    }
    const library = Libraries.standing(call, origin);
    if (library !== null && (!library.onlyAtLoad || !isRequest))
      add(
        library.rule,
        call,
        library.message,
        isRequest && library.rule === 'connection' ? 'note' : 'warning',
      );
    subscription(call, isRequest);
  }

  function timer(call: Node, name: string, isRequest: boolean): boolean {
    if (name === 'setInterval') {
      if (isEnded(call)) return true;
      add('timer', call, 'The timer ends with the instance, a second or so after the last request.');
      return true;
    }
    if (name !== 'setTimeout' && name !== 'setImmediate') return false;
    if (isWaitedFor(call) || isEnded(call) || isDeadline(call)) return true;
    // Once, while the module is loaded, is seldom what must not be lost; a function that sets itself again is.
    const callback = call['arguments'][0] as Node | undefined;
    const repeats =
      callback !== undefined && [...values.of(callback).keys()].some((fn) => isWithin(call, fn));
    add(
      'timer',
      call,
      isRequest || repeats
        ? 'Nobody waits for the timer: the instance may have ended before it fires.'
        : 'The timer is set while the module is loaded: the instance may have ended before it fires.',
      isRequest || repeats ? 'warning' : 'note',
    );
    return true;
  }

  /** `new Promise((resolve) => setTimeout(resolve, 100))`: what waits for the promise waits for the timer. */
  function isWaitedFor(call: Node): boolean {
    for (let at: Node | null = call; at !== null; at = at.parent) {
      if (at.type === 'AwaitExpression') return true;
      if (at.type === 'NewExpression' && calledName(at) === 'Promise') return true;
      if (at.type === 'CallExpression' && calledName(at) === 'waitUntil') return true;
    }
    return false;
  }

  /** Whether something clears the timer: what it guards is over by then. */
  function isEnded(call: Node): boolean {
    const { parent } = call;
    const holder =
      parent?.type === 'VariableDeclarator'
        ? parent['id']
        : parent?.type === 'AssignmentExpression'
          ? parent['left']
          : null;
    const binding = holder?.type === 'Identifier' ? values.bindingOf(holder as Node) : null;
    if (binding === null || binding === undefined || functionAround(call) === null) return false;
    return values.calls.some(
      (other) =>
        /^clear(?:Timeout|Interval|Immediate)$/.test(calledName(other)) &&
        (other['arguments'] as Node[]).some(
          (argument) => argument.type === 'Identifier' && values.bindingOf(argument) === binding,
        ),
    );
  }

  /** A timer that only gives something up. */
  function isDeadline(call: Node): boolean {
    const callback = call['arguments'][0] as Node | undefined;
    if (callback === undefined || !isFunction(callback)) return false;
    const body = callback['body'] as Node;
    const statements = body.type === 'BlockStatement' ? (body['body'] as Node[]) : [body];
    return (
      statements.length > 0 &&
      statements.every((statement) => {
        const expression =
          statement.type === 'ExpressionStatement' ? (statement['expression'] as Node) : statement;
        return (
          expression.type === 'CallExpression' &&
          ['abort', 'reject', 'destroy'].includes(calledName(expression))
        );
      })
    );
  }

  function processes(call: Node, { module, name }: Origin, isRequest: boolean): void {
    const isStart =
      module === 'child_process'
        ? ['spawn', 'fork', 'exec', 'execFile'].includes(name)
        : name === 'Worker' || name === 'fork';
    if (!isStart) return;
    const isDetached = module === 'child_process' && /detached/.test(JSON.stringify(optionNames(call)));
    if (isRequest && !isDetached) return;
    add(
      'worker',
      call,
      `A ${name === 'Worker' ? 'worker' : 'process'} that is to go on beside requests ends with the instance.`,
    );
  }

  function files(call: Node, { name }: Origin, isRequest: boolean): void {
    if (['watch', 'watchFile', 'promises.watch'].includes(name)) {
      add('watcher', call, 'The watcher ends with the instance, and changes in between are not seen.');
      return;
    }
    if (!isRequest || !WRITES_FILE.test(name)) return;
    if (/open/.test(name) && !/^["'](?:r\+|w|a)/.test(String(call['arguments'][1]?.raw ?? ''))) return;
    const target = call['arguments'][/copyFile|cp|rename|link/.test(name) ? 1 : 0] as Node | undefined;
    if (target === undefined) return;
    if (isTemporary(target)) {
      add(
        'local-file',
        call,
        'Temporary files go with the instance: no later request finds this one.',
        'note',
      );
    } else if (!options.hasStorage) {
      add('local-file', call, 'The file is not in a folder that lasts: no later request may find it.');
    }
  }

  /** Whether a path leads into the folder for temporary files. */
  function isTemporary(path: Node, depth = 0): boolean {
    const at = bare(path);
    if (at.type === 'Literal') return SCRATCH.test(String(at['value']));
    if (at.type === 'TemplateLiteral') {
      const [first] = at['quasis'] as Node[];
      if (SCRATCH.test(first!['value'].cooked ?? '')) return true;
      return (at['expressions'] as Node[]).some((part) => isTemporary(part, depth));
    }
    if (at.type === 'BinaryExpression') return isTemporary(at['left'], depth);
    if (at.type === 'CallExpression') {
      if (['tmpdir', 'mkdtemp', 'mkdtempSync'].includes(calledName(at))) return true;
      return (at['arguments'] as Node[]).some((argument) => isTemporary(argument, depth));
    }
    if (at.type === 'MemberExpression') return keyOf(at) === 'TMPDIR';
    if (at.type !== 'Identifier' || depth > 4) return false;
    return (values.bindingOf(at)?.given ?? []).some(({ node }) => isTemporary(node, depth + 1));
  }

  /** A listener that one request adds to what another sends to. */
  function subscription(call: Node, isRequest: boolean): void {
    const callee = bare(call['callee']);
    if (
      !isRequest ||
      callee.type !== 'MemberExpression' ||
      !['on', 'addListener', 'once', 'subscribe'].includes(keyOf(callee) ?? '')
    )
      return;
    const isShared = [...values.of(callee['object'])].some(
      ([thing]) => (thing.type === 'NewExpression' || thing.type === 'Outside') && phases.isShared(thing),
    );
    if (isShared)
      add(
        'subscription',
        call,
        'A request listens for what other requests send; as a function they may be in another instance.',
      );
  }
}

function optionNames(call: Node): string[] {
  return (call['arguments'] as Node[])
    .filter((argument) => argument.type === 'ObjectExpression')
    .flatMap((argument) =>
      (argument['properties'] as Node[]).map((property) =>
        property.type === 'Property' ? (keyOf(property) ?? '') : '',
      ),
    );
}

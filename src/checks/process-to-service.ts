import { originOf, type Origin } from './origin.ts';
import type { Phases } from './phases.ts';
import type { Raw } from './raw.ts';
import { targetsIn } from './scopes.ts';
import { bare, calledName, functionAround, keyOf, walk, type Node } from './syntax.ts';

const BUILT_IN = new Set(
  'Array Boolean Date Error Function JSON Map Math Number Object Promise Reflect RegExp Set String Symbol console globalThis global fetch Headers Request Response URL'.split(
    ' ',
  ),
);
const BLOCKING = new Set([
  'execSync',
  'execFileSync',
  'spawnSync',
  'pbkdf2Sync',
  'scryptSync',
  'Atomics.wait',
]);
const LISTENS = new Set(['on', 'addListener', 'prependListener', 'addEventListener']);
const UNLISTENS = new Set(['off', 'removeListener', 'removeAllListeners', 'removeEventListener']);

/** What request code changes about the process itself, which all its requests share. */
export function processToService(phases: Phases): Raw[] {
  const { values } = phases;
  const found: Raw[] = [];
  const removes = values.calls.some((call) => UNLISTENS.has(calledName(call)));
  for (const text of values.texts) {
    walk(text.program, (node) => {
      if (!phases.isRequest(functionAround(node))) return;
      if (node.type === 'AssignmentExpression') {
        for (const [target] of targetsIn(node['left'], [])) changed(target, target);
      } else if (node.type === 'UpdateExpression') changed(node['argument'], node);
      else if (node.type === 'UnaryExpression' && node['operator'] === 'delete')
        changed(bare(node['argument']), node);
      else if (node.type === 'ForInStatement' || node.type === 'ForOfStatement') {
        for (const [target] of targetsIn(node['left'], [])) changed(target, target);
      } else if (node.type === 'CallExpression') called(node);
    });
  }
  return found;

  function add(rule: Raw['rule'], node: Node, message: string, severity: Raw['severity'] = 'warning'): void {
    found.push({ rule, severity, node, message });
  }

  /** A property of something global is given a value or removed. */
  function changed(target: Node, at: Node): void {
    if (target.type !== 'MemberExpression') return;
    const object = originOf(target['object'], values);
    if (object === null || object.made > 0) return;
    const path = processPath(object);
    if (path === 'env')
      add('process-env', at, 'A request changes process.env, which all requests of the process read.');
    else if (path === '' && keyOf(target) === 'env')
      add('process-env', at, 'A request replaces process.env, which all requests of the process read.');
    else if (object.module === '' && BUILT_IN.has(object.name.split('.')[0]!)) {
      add('global-change', at, `A request changes ${object.name}, which all code of the process uses.`);
    }
  }

  function called(call: Node): void {
    const origin = originOf(call['callee'], values);
    const args = call['arguments'] as Node[];
    if (origin === null) return listened(call, null);
    const path = processPath(origin);
    if (path === 'chdir')
      add('process-cwd', call, 'A request changes the working directory of the whole process.');
    else if (path === 'umask' && args.length > 0)
      add('process-umask', call, 'A request changes the umask of the whole process.');
    else if (path === 'exit' || path === 'abort')
      add(
        'process-exit',
        call,
        'A request ends the process, and with it all other requests it is at work on.',
      );
    else if (path === 'loadEnvFile')
      add('process-env', call, 'A request changes process.env, which all requests of the process read.');
    else if (origin.made === 0 && BLOCKING.has(origin.name)) {
      add(
        'blocks-others',
        call,
        `${origin.name} holds up all other requests of the process until it is done.`,
        'note',
      );
    } else if (origin.module === '') merged(call, origin, args);
    return listened(call, origin);
  }

  /** `Object.assign(process.env, …)`, `Object.defineProperty(Array.prototype, …)`, `Reflect.set(globalThis, …)`. */
  function merged(call: Node, origin: Origin, args: readonly Node[]): void {
    if (
      !/^(?:Object\.(?:assign|definePropert(?:y|ies)|setPrototypeOf)|Reflect\.(?:set|defineProperty|deleteProperty))$/.test(
        origin.name,
      )
    )
      return;
    const object = args[0] === undefined ? null : originOf(args[0], values);
    if (object === null || object.made > 0) return;
    if (processPath(object) === 'env')
      add('process-env', call, 'A request changes process.env, which all requests of the process read.');
    else if (object.module === '' && BUILT_IN.has(object.name.split('.')[0]!)) {
      add('global-change', call, `A request changes ${object.name}, which all code of the process uses.`);
    }
  }

  function listened(call: Node, origin: Origin | null): void {
    const callee = bare(call['callee']);
    if (removes || callee.type !== 'MemberExpression' || !LISTENS.has(keyOf(callee) ?? '')) return;
    const isProcess = origin !== null && processPath(origin) !== null;
    const isShared = [...values.of(callee['object'])].some(
      ([thing]) =>
        ['NewExpression', 'CallExpression', 'Outside'].includes(thing.type) && phases.isShared(thing),
    );
    if (!isProcess && !isShared) return;
    add(
      'listener-leak',
      call,
      'Each request adds a listener to something that outlives it, and none is ever removed.',
    );
  }
}

/** What of `process` an expression is: `env`, `chdir`, empty for all of it; null for anything else. */
function processPath({ module, name }: Origin): string | null {
  if (module === 'process') return name;
  if (module !== '') return null;
  if (name === 'process') return '';
  return name.startsWith('process.') ? name.slice('process.'.length) : null;
}

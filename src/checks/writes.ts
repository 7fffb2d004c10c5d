import type { Phases } from './phases.ts';
import { targetsIn, type Binding } from './scopes.ts';
import { isContainer, ITSELF, type Depth } from './things.ts';
import { bare, calledName, functionAround, keyOf, walk, type Node } from './syntax.ts';

/** What code that runs for requests does to something that is there for all of them. */
export interface Write {
  /** Where. */
  readonly node: Node;
  /** The function it stands in. */
  readonly fn: Node;
  readonly target: Target;
  readonly kind: WriteKind;
  /** What is written; null where nothing is given (`x++`, `pop()`). */
  readonly value: Node | null;
  /** Under which key, where that is computed: `cache[key]`, `cache.set(key, …)`. */
  readonly key: Node | null;
  /** A property that is written by name. */
  readonly property: string | null;
  /** `??=`, `||=` or `&&=`. */
  readonly isConditional: boolean;
}

/**
 * `assign`: `x = v`, `o.a = v`. `count`: `x++`, `x += 1`. `entry`: under a computed key. `add`: into a list or set. `take`: out of one.
 * `remove`: an entry by its key. `clear`: all of it. `merge`: `Object.assign(o, v)`.
 */
type WriteKind = 'assign' | 'count' | 'entry' | 'add' | 'take' | 'remove' | 'clear' | 'merge';

export type Target =
  | { readonly kind: 'variable'; readonly binding: Binding }
  /** `thing` is where it is made; `outside`: it is a library's or the process's. */
  | { readonly kind: 'object'; readonly thing: Node; readonly name: string; readonly depth: Depth };

const METHODS: Readonly<Record<string, WriteKind>> = {
  set: 'entry',
  setex: 'entry',
  add: 'add',
  push: 'add',
  unshift: 'add',
  append: 'add',
  splice: 'take',
  pop: 'take',
  shift: 'take',
  sort: 'take',
  reverse: 'take',
  fill: 'clear',
  delete: 'remove',
  clear: 'clear',
};

/** Every write of request code to what outlives the request, in the order of the text. */
export function writesOf(phases: Phases): Write[] {
  const writes: Write[] = [];
  for (const text of phases.values.texts) {
    walk(text.program, (node) => {
      const fn = functionAround(node);
      if (fn === null || !phases.isRequest(fn)) return;
      for (const write of writesAt(node, fn)) if (isShared(write.target)) writes.push(write);
    });
  }
  return writes;

  function isShared(target: Target): boolean {
    return target.kind === 'variable'
      ? phases.isSharedBinding(target.binding)
      : phases.isShared(target.thing) || target.thing.type === 'Outside';
  }

  function writesAt(node: Node, fn: Node): Write[] {
    switch (node.type) {
      case 'AssignmentExpression':
        return targetsIn(node['left'], []).flatMap(([target]) => assigned(target, node, fn));
      case 'ForOfStatement':
      case 'ForInStatement':
        if (node['left'].type === 'VariableDeclaration') return [];
        return targetsIn(node['left'], []).flatMap(([target]) =>
          written(target, { node: target, fn, kind: 'assign', value: node['right'], isConditional: false }),
        );
      case 'UpdateExpression':
        return written(node['argument'], { node, fn, kind: 'count', value: null, isConditional: false });
      case 'UnaryExpression': {
        const target = bare(node['argument']);
        if (node['operator'] !== 'delete' || target.type !== 'MemberExpression') return [];
        return written(target, { node, fn, kind: 'remove', value: null, isConditional: false });
      }
      case 'CallExpression':
        return [...byMethod(node, fn), ...byFunction(node, fn)];
      default:
        return [];
    }
  }

  function assigned(target: Node, node: Node, fn: Node): Write[] {
    const operator = node['operator'] as string;
    const value = node['right'] as Node;
    const isConditional = ['??=', '||=', '&&='].includes(operator);
    const isLength = target.type === 'MemberExpression' && keyOf(target) === 'length';
    const isCount = operator !== '=' && !isConditional;
    const kind: WriteKind = isLength ? 'clear' : isCount || isOwnSum(target, value) ? 'count' : 'assign';
    return written(target, { node: target, fn, kind, value, isConditional });
  }

  function written(
    target: Node,
    write: Pick<Write, 'node' | 'fn' | 'kind' | 'value' | 'isConditional'>,
  ): Write[] {
    if (target.type === 'Identifier') {
      const binding = phases.values.bindingOf(target);
      if (binding === null || binding.kind === 'import') return [];
      return [{ ...write, target: { kind: 'variable', binding }, key: null, property: null }];
    }
    if (target.type !== 'MemberExpression') return [];
    const property = keyOf(target);
    const key = property === null ? (target['property'] as Node) : null;
    const kind = write.kind === 'assign' && key !== null ? 'entry' : write.kind;
    return objects(target['object']).map((object) => ({ ...write, kind, target: object, key, property }));
  }

  function byMethod(call: Node, fn: Node): Write[] {
    const callee = bare(call['callee']);
    if (callee.type !== 'MemberExpression') return [];
    const kind = Object.hasOwn(METHODS, keyOf(callee) ?? '') ? METHODS[keyOf(callee)!]! : null;
    // A method of the author's own is looked at where it is written.
    if (kind === null || phases.values.calledBy(call).length > 0) return [];
    const args = call['arguments'] as Node[];
    const isEntry = kind === 'entry' && args.length >= 2;
    if (kind === 'entry' && !isEntry) return [];
    const value = isEntry ? args[1]! : kind === 'add' ? (args[0] ?? null) : null;
    const key = isEntry || kind === 'remove' ? (args[0] ?? null) : null;
    const fixed = key !== null && key.type === 'Literal' ? String(key['value']) : null;
    return objects(callee['object'])
      .filter((target) => mayHave(target, keyOf(callee)!))
      .map((target) => ({
        node: call,
        fn,
        target,
        kind: isEntry && fixed !== null ? 'assign' : kind,
        value,
        key: fixed === null ? key : null,
        property: fixed,
        isConditional: false,
      }));
  }

  /** `Object.assign`, `Object.defineProperty`, `Reflect.set`, `Reflect.deleteProperty`. */
  function byFunction(call: Node, fn: Node): Write[] {
    const callee = bare(call['callee']);
    if (callee.type !== 'MemberExpression' || callee['object'].type !== 'Identifier') return [];
    const [object, second, third] = call['arguments'] as Node[];
    if (object === undefined || second === undefined) return [];
    const full = `${callee['object'].name}.${calledName(call)}`;
    const base = { node: call, fn, isConditional: false };
    if (full === 'Object.assign' || full === 'Object.defineProperties') {
      return objects(object).map((target) => ({
        ...base,
        target,
        kind: 'merge',
        value: second,
        key: null,
        property: null,
      }));
    }
    const isSet =
      full === 'Reflect.set' || full === 'Object.defineProperty' || full === 'Reflect.defineProperty';
    if (!isSet && full !== 'Reflect.deleteProperty') return [];
    const property = second.type === 'Literal' ? String(second['value']) : null;
    const kind: WriteKind = !isSet ? 'remove' : property === null ? 'entry' : 'assign';
    return objects(object).map((target) => ({
      ...base,
      target,
      kind,
      value: third ?? null,
      key: property === null ? second : null,
      property,
    }));
  }

  function objects(expression: Node): Target[] {
    return [...phases.values.of(expression)]
      .filter(([thing]) => !isPrimitiveCall(thing) && !isProcess(thing))
      .map(([thing, depth]) => ({ kind: 'object', thing, name: nameOf(expression), depth }));
  }

  /** Only what is known to hold values in memory: `client.set(…)` may go to a database. */
  function mayHave(target: Target, method: string): boolean {
    if (target.kind !== 'object') return false;
    if (target.thing.type === 'ArrayExpression' && target.depth === ITSELF)
      return !['set', 'add', 'delete', 'clear'].includes(method);
    return isContainer(target.thing, target.depth);
  }
}

/** How a reader knows the thing: the name at the front of the expression that leads to it. */
function nameOf(expression: Node): string {
  let at = bare(expression);
  while (at.type === 'MemberExpression' || at.type === 'CallExpression') {
    at = bare(at.type === 'MemberExpression' ? at['object'] : at['callee']);
  }
  if (at.type === 'ThisExpression') return 'this';
  return at.type === 'Identifier' ? (at['name'] as string) : 'it';
}

/** What gives a new value each time, and nothing that is shared. */
function isPrimitiveCall(thing: Node): boolean {
  return (
    thing.type === 'CallExpression' && ['String', 'Number', 'Boolean', 'Symbol'].includes(calledName(thing))
  );
}

/** `import process from 'node:process'`, whose changes are found by name. */
function isProcess(thing: Node): boolean {
  return (
    thing.type === 'Outside' &&
    /^(?:node:)?process$/.test(String(thing.parent?.parent?.['source']?.value ?? ''))
  );
}

/** `x = x + 1`, `most = Math.max(most, n)`: a value made of itself. */
function isOwnSum(target: Node, value: Node): boolean {
  const inner = bare(value);
  if (inner.type === 'BinaryExpression')
    return isSame(inner['left'], target) || isSame(inner['right'], target);
  const callee = inner.type === 'CallExpression' ? bare(inner['callee']) : null;
  if (callee?.type !== 'MemberExpression' || callee['object'].name !== 'Math') return false;
  return (inner['arguments'] as Node[]).some((argument) => isSame(argument, target));
}

/** Whether two expressions are the same name, or the same named part of it. */
function isSame(a: Node, b: Node): boolean {
  if (a.type !== b.type) return false;
  if (a.type === 'Identifier') return a['name'] === b['name'];
  if (a.type !== 'MemberExpression') return a.type === 'ThisExpression';
  return keyOf(a) !== null && keyOf(a) === keyOf(b) && isSame(a['object'], b['object']);
}

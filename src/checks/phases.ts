import type { Binding } from './scopes.ts';
import { bare, calledName, functionAround, isFunction, keyOf, walk, type Node } from './syntax.ts';
import { isModuleWrapper } from './things.ts';
import type { Values } from './values.ts';

/** Methods that call what they are given before they return, or once: not a handler that is kept for later. */
const AT_ONCE = new Set(
  (
    'forEach map filter reduce reduceRight some every find findIndex findLast findLastIndex flatMap sort toSorted replace replaceAll from ' +
    'fromEntries groupBy then catch finally run __name apply call'
  ).split(' '),
);
const LATER = new Set(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'nextTick']);
/** Exports that are called once for each instance, before its first request. */
const LIFECYCLE = new Set(['onLoad', 'onStart']);
/** Handlers that are given the component's `env`, the same for every request, as their second argument. */
const WITH_ENV = new Set(['fetch', 'scheduled', 'queue', 'websocket']);
const MAX_DEPTH = 4;

/**
 * When the author's functions run: while the module is loaded (and in `onLoad` and `onStart`), for requests, both or, as far as
 * can be seen, never. A function that is handed to a library while the module is loaded (`app.get('/', …)`) is a handler.
 */
export class Phases {
  readonly values: Values;
  readonly #load = new Set<Node>();
  readonly #request = new Set<Node>();
  readonly #background = new Set<Node>();
  readonly #handlers = new Map<Node, string>();
  readonly #nextOf = new Map<Node, ReadonlySet<Node>>();
  readonly #reached = new Map<Node, ReadonlySet<Node>>();
  readonly #callsIn = new Map<Node | null, Node[]>();
  readonly #expressionsIn = new Map<Node | null, Node[]>();
  readonly #membersIn = new Map<Node | null, Node[]>();

  constructor(values: Values, entry: string) {
    this.values = values;
    for (const call of values.calls) push(this.#callsIn, functionAround(call), call);
    for (const fn of values.functions) {
      if (isModuleWrapper(fn)) this.#load.add(fn);
      if (fn.type !== 'FunctionDeclaration') push(this.#expressionsIn, functionAround(fn), fn);
    }
    for (const { program } of values.texts) {
      walk(program, (node) => {
        if (node.type === 'MemberExpression') push(this.#membersIn, functionAround(node), node);
      });
    }
    const text = values.texts.find((one) => one.name === entry);
    if (text !== undefined) {
      for (const [name, exported] of values.exportsOf(text)) this.#export(name, exported);
    }
    // Calls at the top level come first: what they hand to libraries are handlers.
    this.#runLoad(null);
    for (const fn of [...this.#load]) this.#runLoad(fn);
    for (const fn of values.functions) if (this.#isHandedOut(fn)) this.#handle(fn, '');
  }

  /** Whether a function runs for requests. */
  isRequest(fn: Node | null): boolean {
    return fn !== null && this.#request.has(fn);
  }

  /** Whether code runs while the module is loaded, or when the instance starts. */
  isLoad(fn: Node | null): boolean {
    return fn === null || this.#load.has(fn);
  }

  isBackground(fn: Node | null): boolean {
    return fn !== null && this.#background.has(fn);
  }

  /** Handler names by function; empty for one that a library was given. */
  get handlers(): ReadonlyMap<Node, string> {
    return this.#handlers;
  }

  /** Whether what is made at `node` is there once for all requests of the process. */
  isShared(node: Node): boolean {
    for (let fn = functionAround(node); fn !== null; fn = functionAround(fn)) {
      if (this.#request.has(fn) || !this.#load.has(fn)) return false;
    }
    return true;
  }

  isSharedBinding(binding: Binding): boolean {
    const { owner } = binding;
    if (owner === null) return true;
    return !this.#request.has(owner) && this.#load.has(owner) && this.isShared(owner);
  }

  /** Whether an argument of a handler is the same for every request: the `env` of `fetch`, the `context` of nobody. */
  isFixedParameter(binding: Binding): boolean {
    const name = this.#handlers.get(binding.owner!);
    return name !== undefined && binding.index === 1 && WITH_ENV.has(name);
  }

  /** The functions that run because `fn` does, itself included. */
  reachedFrom(fn: Node): ReadonlySet<Node> {
    const known = this.#reached.get(fn);
    if (known !== undefined) return known;
    const reached = new Set<Node>([fn]);
    for (const one of reached) for (const next of this.#next(one)) reached.add(next);
    this.#reached.set(fn, reached);
    return reached;
  }

  #export(name: string, exported: Node): void {
    for (const [thing, inner] of this.values.of(exported)) if (!inner) this.#exportThing(name, thing, 0);
  }

  #exportThing(name: string, thing: Node, depth: number): void {
    if (isFunction(thing)) {
      if (LIFECYCLE.has(name)) this.#load.add(thing);
      else this.#handle(thing, name === 'default' ? 'fetch' : name);
      return;
    }
    if (
      depth > MAX_DEPTH ||
      !['ObjectExpression', 'NewExpression', 'Namespace', 'Exports'].includes(thing.type)
    )
      return;
    for (const key of this.values.keysOf(thing)) {
      for (const [inner, isInner] of this.values.member(thing, key)) {
        if (!isInner && inner !== thing) this.#exportThing(key, inner, depth + 1);
      }
    }
  }

  #handle(fn: Node, name: string): void {
    if (!this.#handlers.has(fn)) this.#handlers.set(fn, name);
    this.#runRequest(fn);
  }

  #runLoad(fn: Node | null): void {
    const waiting: (Node | null)[] = [fn];
    const done = new Set<Node | null>();
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (done.has(at)) continue;
      done.add(at);
      if (at !== null) this.#load.add(at);
      for (const call of this.#callsIn.get(at) ?? []) {
        const called = this.values.calledBy(call);
        waiting.push(...called);
        if (called.length === 0) waiting.push(...this.#handOver(call));
      }
      // A static block and a field's value run where the class stands.
      for (const store of this.#storesIn(at)) this.#handOut(store['right'], keyOf(store['left']) ?? '', 0);
    }
  }

  /** What load-time code gives to a library; returns what that calls at once. */
  #handOver(call: Node): Node[] {
    const name = calledName(call);
    const atOnce: Node[] = [];
    const isProcess = isMemberOf(call, 'process');
    for (const argument of call['arguments'] as Node[]) {
      const things = this.values.of(argument.type === 'SpreadElement' ? argument['argument'] : argument);
      for (const [thing, inner] of things) {
        if (inner) continue;
        if (!isFunction(thing)) this.#handOutThing(thing, '', 0);
        else if (AT_ONCE.has(name) || (call.type === 'NewExpression' && name === 'Promise'))
          atOnce.push(thing);
        else if (isProcess || LATER.has(name)) this.#background.add(thing);
        else if (!name.startsWith('__')) this.#handle(thing, '');
      }
    }
    return atOnce;
  }

  #handOut(value: Node, name: string, depth: number): void {
    for (const [thing, inner] of this.values.of(value)) if (!inner) this.#handOutThing(thing, name, depth);
  }

  #handOutThing(thing: Node, name: string, depth: number): void {
    if (depth > MAX_DEPTH || isModuleWrapper(thing)) return;
    if (isFunction(thing)) {
      if (depth > 0) this.#handle(thing, name);
    } else if (thing.type === 'ArrayExpression') {
      for (const element of thing['elements'] as (Node | null)[]) {
        if (element !== null && element.type !== 'SpreadElement') this.#handOut(element, '', depth + 1);
      }
    } else if (thing.type === 'NewExpression') {
      for (const [key, fn] of this.values.methodsOf(thing)) this.#handOutThing(fn, key, depth + 1);
    } else if (thing.type === 'ObjectExpression' && depth < MAX_DEPTH) {
      for (const [key, fn] of this.values.methodsOf(thing)) this.#handOutThing(fn, key, depth + 1);
      for (const key of this.values.keysOf(thing)) {
        for (const [inner, isInner] of this.values.member(thing, key)) {
          if (!isInner && inner.type === 'ObjectExpression' && inner !== thing)
            this.#handOutThing(inner, key, depth + 1);
        }
      }
    }
  }

  /** Assignments of load-time code to properties of what is not the author's: `app.onError = …`. */
  #storesIn(fn: Node | null): Node[] {
    const roots = fn === null ? this.values.texts.map((text) => text.program) : [fn];
    const found: Node[] = [];
    for (const root of roots) {
      walk(root, (node) => {
        if (node !== root && isFunction(node)) return false;
        if (node.type !== 'AssignmentExpression' || node['left'].type !== 'MemberExpression') return true;
        const things = [...this.values.of(node['left'].object).keys()];
        if (things.some((thing) => thing.type === 'CallExpression' || thing.type === 'Outside'))
          found.push(node);
        return true;
      });
    }
    return found;
  }

  /** Whether load-time code puts a function into something that is not the author's. */
  #isHandedOut(fn: Node): boolean {
    const { parent } = fn;
    if (parent?.type !== 'AssignmentExpression' || parent['left'].type !== 'MemberExpression') return false;
    if (!this.isLoad(functionAround(fn))) return false;
    const things = [...this.values.of(parent['left'].object).keys()];
    return things.some((thing) => thing.type === 'CallExpression' || thing.type === 'Outside');
  }

  #runRequest(fn: Node): void {
    const waiting = [fn];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (this.#request.has(at) || isModuleWrapper(at)) continue;
      this.#request.add(at);
      waiting.push(...this.#next(at));
    }
  }

  /** The places in a function at which others of the author's run, and which. */
  stepsIn(fn: Node): { node: Node; fns: readonly Node[] }[] {
    const calls = (this.#callsIn.get(fn) ?? []).map((node) => ({ node, fns: this.values.calledBy(node) }));
    const members = (this.#membersIn.get(fn) ?? []).map((node) => ({
      node,
      fns: [...this.values.of(node).keys()].filter(isAccessor),
    }));
    return [...calls, ...members].filter(({ fns }) => fns.length > 0);
  }

  /** What runs because a function does: what it calls, hands on or returns, and what stands in it. */
  #next(fn: Node): ReadonlySet<Node> {
    const known = this.#nextOf.get(fn);
    if (known !== undefined) return known;
    const found = new Set(this.#findNext(fn));
    this.#nextOf.set(fn, found);
    return found;
  }

  *#findNext(fn: Node): Iterable<Node> {
    for (const call of this.#callsIn.get(fn) ?? []) {
      const called = this.values.calledBy(call);
      yield* called;
      if (called.length > 0 && call.type !== 'NewExpression') continue;
      for (const argument of call['arguments'] as Node[]) {
        for (const [thing, inner] of this.values.of(argument)) if (isFunction(thing) && !inner) yield thing;
      }
    }
    yield* this.#expressionsIn.get(fn) ?? [];
    for (const member of this.#membersIn.get(fn) ?? []) {
      for (const thing of this.values.of(member).keys()) if (isAccessor(thing)) yield thing;
    }
    for (const value of this.values.returnsOf(fn)) {
      for (const [thing, inner] of this.values.of(value)) {
        if (inner) continue;
        if (isFunction(thing)) yield thing;
        else if (thing.type === 'ObjectExpression')
          for (const [, method] of this.values.methodsOf(thing)) yield method;
      }
    }
  }
}

/** A getter or setter: using its property runs it. */
function isAccessor(fn: Node): boolean {
  return isFunction(fn) && (fn.parent?.['kind'] === 'get' || fn.parent?.['kind'] === 'set');
}

function isMemberOf(call: Node, name: string): boolean {
  const callee = bare(call['callee']);
  return (
    callee.type === 'MemberExpression' &&
    callee['object'].type === 'Identifier' &&
    callee['object'].name === name
  );
}

function push<K>(map: Map<K, Node[]>, key: K, node: Node): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [node]);
  else known.push(node);
}

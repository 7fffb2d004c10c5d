import type { BundleText } from './bundle-text.ts';
import { REST, memberAround, resolveNames, type Binding, type Given, type Names } from './scopes.ts';
import { bare, calledName, functionAround, isClass, isFunction, keyOf, walk, type Node } from './syntax.ts';
import {
  constructorOf,
  hasFunction,
  isContainer,
  isModuleWrapper,
  ITSELF,
  NOTHING,
  ONE_OF,
  PART,
  pathTo,
  pseudo,
  union,
  wrappedFunction,
  type Depth,
  type Things,
} from './things.ts';

const ROUNDS = 4;
/** A class extends no more than that. */
const MAX_CLASSES = 32;
/** Of values made of values: further no code goes that people write, and the stack does not reach for ever. */
const MAX_DEPTH = 250;
/** Calls that give back what they were given first. */
const SAME = new Set([
  '__name',
  '__toESM',
  '__toCommonJS',
  'freeze',
  'seal',
  'assign',
  'defineProperty',
  'preventExtensions',
]);
/** Methods that give something that lies inside. */
const INSIDE = new Set([
  'get',
  'at',
  'find',
  'findLast',
  'pop',
  'shift',
  'values',
  'entries',
  'next',
  'getOrInsert',
  'getOrInsertComputed',
]);

/**
 * What may be what, in all files of a bundle, without regard to order: an over-estimate, found by going over all calls and
 * assignments until nothing new is learnt.
 */
export class Values {
  readonly texts: readonly BundleText[];
  /** Every call and `new`, in the order of the text. */
  readonly calls: readonly Node[];
  readonly functions: readonly Node[];
  readonly bindings: readonly Binding[];
  readonly #names = new Map<BundleText, Names>();
  readonly #ofIdentifier = new Map<Node, Binding>();
  readonly #textOf = new Map<Node, BundleText>();
  readonly #callers = new Map<Node, Set<Node>>();
  readonly #returns = new Map<Node, Node[]>();
  readonly #instances = new Map<Node, Set<Node>>();
  /** Values put into properties, by the thing and the property. */
  readonly #stored = new Map<Node, Map<string, Node[]>>();
  /** `module` and `exports` of each CommonJS module: things that no expression makes. */
  readonly #commonJs = new Map<Node, { module: Node; exports: Node }>();
  readonly #namespaces = new Map<BundleText, Node>();
  readonly #outside = new Map<string, Node>();
  #depth = 0;
  #memo = new Map<Node, Things>();
  #called = new Map<Node, readonly Node[]>();
  #classes = new Map<Node, readonly Node[]>();
  #members = new Map<Node, Map<string, Things>>();

  constructor(texts: readonly BundleText[]) {
    this.texts = texts;
    const calls: Node[] = [];
    const functions: Node[] = [];
    const bindings: Binding[] = [];
    const stores: Node[] = [];
    for (const text of texts) {
      const names = resolveNames(text.program);
      this.#names.set(text, names);
      this.#textOf.set(text.program, text);
      for (const [id, binding] of names.ofIdentifier) this.#ofIdentifier.set(id, binding);
      bindings.push(...names.bindings);
      walk(text.program, (node) => {
        if (node.type === 'CallExpression' || node.type === 'NewExpression') calls.push(node);
        if (isFunction(node)) {
          functions.push(node);
          if (node['body'].type !== 'BlockStatement') this.#returns.set(node, [node['body']]);
          if (isModuleWrapper(node))
            this.#commonJs.set(node, { module: pseudo('Module', node), exports: pseudo('Exports', node) });
        }
        if (node.type === 'ReturnStatement' && node['argument'] !== null) {
          const around = functionAround(node);
          if (around !== null)
            this.#returns.set(around, [...(this.#returns.get(around) ?? []), node['argument']]);
        }
        if (node.type === 'AssignmentExpression' && node['left'].type === 'MemberExpression')
          stores.push(node);
      });
    }
    this.calls = calls;
    this.functions = functions;
    this.bindings = bindings;
    for (let round = 0; round < ROUNDS; round++) if (!this.#learn(stores)) break;
  }

  bindingOf(id: Node): Binding | null {
    return this.#ofIdentifier.get(id) ?? null;
  }

  textOf(node: Node): BundleText {
    let at = node;
    while (at.parent !== null) at = at.parent;
    return this.#textOf.get(at)!;
  }

  /** The calls known to lead to a function. */
  callersOf(fn: Node): ReadonlySet<Node> {
    return this.#callers.get(fn) ?? new Set();
  }

  returnsOf(fn: Node): readonly Node[] {
    return this.#returns.get(fn) ?? [];
  }

  /** The author's functions that a call may lead to. */
  calledBy(call: Node): readonly Node[] {
    const known = this.#called.get(call);
    if (known !== undefined) return known;
    // Stands for calls that lead to themselves.
    this.#called.set(call, []);
    const found = this.#findCalled(call);
    this.#called.set(call, found);
    return found;
  }

  #findCalled(call: Node): Node[] {
    if (call.type === 'NewExpression') {
      return [...this.of(call['callee']).keys()].flatMap(
        (thing) => constructorOf(thing) ?? (isFunction(thing) ? thing : []),
      );
    }
    return [...this.of(call['callee'])].flatMap(([thing, inner]) => {
      if (isFunction(thing)) return inner ? [] : [thing];
      // Chosen at run time: `routes[path](request)`.
      return inner && thing.type === 'ObjectExpression' ? this.methodsOf(thing).map(([, fn]) => fn) : [];
    });
  }

  /** What an expression may be. */
  of(node: Node): Things {
    const known = this.#memo.get(node);
    if (known !== undefined) return known;
    if (this.#depth >= MAX_DEPTH) return NOTHING;
    // Stands while the value is being found out, for values that are made of themselves.
    this.#memo.set(node, NOTHING);
    this.#depth += 1;
    const found = this.#find(node);
    this.#depth -= 1;
    this.#memo.set(node, found);
    return found;
  }

  ofBinding(binding: Binding): Things {
    return this.of(binding.node);
  }

  /** The functions that lie in a thing, one level deep, by their keys. */
  methodsOf(thing: Node): [key: string, fn: Node][] {
    const found: [string, Node][] = [];
    for (const key of this.keysOf(thing)) {
      for (const [inner, isInner] of this.member(thing, key))
        if (isFunction(inner) && !isInner) found.push([key, inner]);
    }
    return found;
  }

  /** What a file exports, by name. */
  exportsOf(text: BundleText): ReadonlyMap<string, Node> {
    const found = new Map<string, Node>();
    for (const statement of text.program['body'] as Node[]) {
      if (statement.type === 'ExportDefaultDeclaration') found.set('default', statement['declaration']);
      if (statement.type !== 'ExportNamedDeclaration') continue;
      for (const one of statement['specifiers'] as Node[]) {
        found.set(String(one['exported'].name ?? one['exported'].value), one['local']);
      }
      const { declaration } = statement as unknown as { declaration: Node | null };
      for (const one of (declaration?.['declarations'] ??
        (declaration === null ? [] : [declaration])) as Node[]) {
        if (one['id']?.type === 'Identifier') found.set(one['id'].name, one['id']);
      }
    }
    return found;
  }

  #learn(stores: readonly Node[]): boolean {
    this.#memo = new Map();
    this.#members = new Map();
    this.#called = new Map();
    this.#classes = new Map();
    let isNew = false;
    const note = <K>(map: Map<K, Set<Node>>, key: K, value: Node): void => {
      const known = map.get(key) ?? new Set();
      if (known.has(value)) return;
      map.set(key, known.add(value));
      isNew = true;
    };
    for (const call of this.calls) {
      for (const fn of this.calledBy(call)) note(this.#callers, fn, call);
      if (call.type !== 'NewExpression') continue;
      for (const made of this.#classesOf(call['callee'])) note(this.#instances, made, call);
    }
    for (const store of stores) {
      const key = keyOf(store['left']);
      if (key === null) continue;
      for (const [thing, inner] of this.of(store['left'].object)) {
        if (inner) continue;
        const byKey = this.#stored.get(thing) ?? new Map<string, Node[]>();
        this.#stored.set(thing, byKey);
        const values = byKey.get(key) ?? [];
        byKey.set(key, values);
        if (values.includes(store['right'])) continue;
        values.push(store['right']);
        isNew = true;
      }
    }
    this.#memo = new Map();
    this.#members = new Map();
    this.#called = new Map();
    this.#classes = new Map();
    return isNew;
  }

  #find(node: Node): Things {
    switch (node.type) {
      case 'Identifier':
        return this.#identifier(node);
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
      case 'ClassDeclaration':
      case 'ClassExpression':
      case 'ObjectExpression':
      case 'ArrayExpression':
      case 'NewExpression':
      case 'Exports':
      case 'Module':
        return new Map([[node, ITSELF]]);
      case 'AwaitExpression':
      case 'ChainExpression':
      case 'SequenceExpression':
        return this.of(bare(node));
      case 'ConditionalExpression':
        return union([this.of(node['consequent']), this.of(node['alternate'])]);
      case 'LogicalExpression':
        return union([this.of(node['left']), this.of(node['right'])]);
      case 'AssignmentExpression':
        return this.of(node['right']);
      case 'MemberExpression':
        return this.#inside(this.of(node['object']), keyOf(node));
      case 'ThisExpression':
        return this.#this(node);
      case 'CallExpression':
        return this.#call(node);
      case 'ImportExpression':
        return this.#namespace(node['source'].type === 'Literal' ? String(node['source'].value) : '');
      default:
        return NOTHING;
    }
  }

  #identifier(id: Node): Things {
    const binding = this.bindingOf(id);
    if (binding === null) {
      const text = this.textOf(id);
      const owner = text.packages.get(id['name']);
      return owner === undefined || owner === ''
        ? NOTHING
        : this.#outsideThing(`${owner} ${id['name']}`, text.program);
    }
    if (binding.node !== id) return this.of(binding.node);
    if (binding.imported !== null) return this.#import(binding);
    const given = binding.given.map((one) => this.#given(one));
    if (binding.kind === 'parameter') given.push(...this.#arguments(binding));
    return union(given);
  }

  #given({ node, path }: Given): Things {
    let found = this.of(node);
    for (const key of path) found = key === REST ? NOTHING : this.#inside(found, key);
    return found;
  }

  #arguments(parameter: Binding): Things[] {
    const fn = parameter.owner!;
    const wrapped = this.#commonJs.get(fn);
    if (wrapped !== undefined) {
      return [new Map([[parameter.index === 0 ? wrapped.exports : wrapped.module, ITSELF]])];
    }
    const pattern = fn['params'][parameter.index] as Node;
    const path = pathTo(pattern, parameter.node);
    if (path === null) return [];
    return [...this.callersOf(fn)].map((call) => {
      const argument = (call['arguments'] as Node[])[parameter.index];
      return argument === undefined || argument.type === 'SpreadElement'
        ? NOTHING
        : this.#given({ node: argument, path });
    });
  }

  #import(binding: Binding): Things {
    const { from, name } = binding.imported!;
    const text = this.#textNamed(from);
    if (text === null) {
      return this.#outsideThing(`${from} ${name}`, binding.node.parent!);
    }
    if (name === '*') return this.#namespace(from);
    const exported = this.exportsOf(text).get(name);
    return exported === undefined ? NOTHING : this.of(exported);
  }

  /** One thing for each name of a package, wherever it is used. */
  #outsideThing(key: string, at: Node): Things {
    const known = this.#outside.get(key) ?? pseudo('Outside', at);
    this.#outside.set(key, known);
    return new Map([[known, ITSELF]]);
  }

  #namespace(from: string): Things {
    const text = this.#textNamed(from);
    if (text === null) return NOTHING;
    const known = this.#namespaces.get(text) ?? pseudo('Namespace', text.program);
    this.#namespaces.set(text, known);
    return new Map([[known, ITSELF]]);
  }

  #textNamed(from: string): BundleText | null {
    if (!from.startsWith('./')) return null;
    return this.texts.find((text) => text.name === from.slice(2)) ?? null;
  }

  #call(call: Node): Things {
    const wrapper = this.#commonJsOf(call);
    if (wrapper !== null) {
      return this.member(this.#commonJs.get(wrapper)!.module, 'exports');
    }
    const name = calledName(call);
    const [first] = call['arguments'] as Node[];
    if (SAME.has(name) && first !== undefined && first.type !== 'SpreadElement') return this.of(first);
    if (name === '__exportAll' || name === '__export') return new Map([[call, ITSELF]]);
    const own = this.calledBy(call);
    if (own.length > 0) return union(own.flatMap((fn) => this.returnsOf(fn).map((value) => this.of(value))));
    const callee = bare(call['callee']);
    if (callee.type === 'MemberExpression' && INSIDE.has(name)) {
      const found = new Map<Node, Depth>();
      for (const [thing, depth] of this.of(callee['object']))
        if (isContainer(thing, depth)) found.set(thing, ONE_OF);
      if (found.size > 0) return found;
    }
    return new Map([[call, ITSELF]]);
  }

  /** The module that a call of a bundler's wrapper gives: `require_x()`. */
  #commonJsOf(call: Node): Node | null {
    const callee = bare(call['callee']);
    if (callee.type === 'CallExpression') {
      // What is required once only is not given a name.
      const inlined = wrappedFunction(callee);
      return inlined !== null && this.#commonJs.has(inlined) ? inlined : null;
    }
    if (callee.type !== 'Identifier') return null;
    for (const { node } of this.bindingOf(callee)?.given ?? []) {
      const cb = node.type === 'CallExpression' ? wrappedFunction(node) : null;
      if (cb !== null && this.#commonJs.has(cb)) return cb;
    }
    return null;
  }

  #this(node: Node): Things {
    const member = memberAround(node);
    if (member === null) return NOTHING;
    if (member.isStatic) return new Map([[member.owner, ITSELF]]);
    return new Map([...(this.#instances.get(member.owner) ?? [])].map((one) => [one, ITSELF]));
  }

  #inside(things: Things, key: string | null): Things {
    const parts: Things[] = [];
    for (const [thing, depth] of things) {
      if (key === null) parts.push(new Map([[thing, ONE_OF]]));
      else parts.push(depth === ITSELF ? this.member(thing, key) : new Map([[thing, depth]]));
    }
    return union(parts);
  }

  /** What lies under a key of a thing. */
  member(thing: Node, key: string): Things {
    const byKey = this.#members.get(thing) ?? new Map<string, Things>();
    this.#members.set(thing, byKey);
    const known = byKey.get(key);
    if (known !== undefined) return known;
    // An object may be spread into itself: `{ ...this.props, name }`.
    byKey.set(key, NOTHING);
    const found = this.#findMember(thing, key);
    byKey.set(key, found);
    return found;
  }

  #findMember(thing: Node, key: string): Things {
    const stored = (this.#stored.get(thing)?.get(key) ?? []).map((value) => this.of(value));
    const parts = [...stored];
    if (thing.type === 'ObjectExpression') {
      for (const property of thing['properties'] as Node[]) {
        if (property.type === 'SpreadElement') parts.push(this.#inside(this.of(property['argument']), key));
        else if (keyOf(property) === key) parts.push(this.of(property['value']));
      }
    } else if (thing.type === 'Namespace') {
      const exported = this.exportsOf(this.#textOf.get(thing.parent!)!).get(key);
      if (exported !== undefined) parts.push(this.of(exported));
    } else if (thing.type === 'CallExpression' && calledName(thing).startsWith('__export')) {
      for (const getter of this.member(thing['arguments'].at(-1), key).keys()) {
        for (const value of this.returnsOf(getter)) parts.push(this.of(value));
      }
    } else if (thing.type === 'Exports' && key === 'default') {
      parts.push(new Map([[thing, ITSELF]]));
    } else if (thing.type === 'Module' && key === 'exports') {
      parts.push(new Map([[this.#commonJs.get(thing.parent!)!.exports, ITSELF]]));
    } else {
      const members = this.#membersOf(thing).filter((member) => keyOf(member) === key);
      for (const member of members) {
        if (member['value'] !== null && (isFunction(member['value']) || member['static']))
          parts.push(this.of(member['value']));
      }
    }
    const found = union(parts);
    // A CommonJS module as its own default export.
    if (key === 'default' && found.size === 0 && thing.type !== 'Namespace')
      return new Map([[thing, ITSELF]]);
    // What is not known to be made elsewhere is a part of the thing itself.
    const isPart = thing.type === 'NewExpression' ? !hasFunction(found) : found.size === 0;
    return isPart && thing.type !== 'Module' ? union([found, new Map([[thing, PART]])]) : found;
  }

  #membersOf(thing: Node): Node[] {
    if (isClass(thing))
      return (thing['body'].body as Node[]).filter((member) => member['static'] === true && 'key' in member);
    if (thing.type !== 'NewExpression') return [];
    return this.#classesOf(thing['callee']).flatMap((one) =>
      (one['body'].body as Node[]).filter((member) => member['static'] === false && 'key' in member),
    );
  }

  /** The classes that an expression may be, and those that they extend. */
  #classesOf(expression: Node): readonly Node[] {
    const known = this.#classes.get(expression);
    if (known !== undefined) return known;
    const found = new Set([...this.of(expression).keys()].filter(isClass));
    for (const one of found) {
      if (found.size > MAX_CLASSES || one['superClass'] === null) continue;
      for (const base of this.of(one['superClass']).keys()) if (isClass(base)) found.add(base);
    }
    this.#classes.set(expression, [...found]);
    return [...found];
  }

  /** The keys that a thing is known to have. */
  keysOf(thing: Node): string[] {
    const keys = new Set<string>();
    const things = new Set([thing]);
    for (const one of things) {
      for (const key of this.#stored.get(one)?.keys() ?? []) keys.add(key);
      if (one.type === 'ObjectExpression') {
        for (const property of one['properties'] as Node[]) {
          if (property.type !== 'SpreadElement') keys.add(keyOf(property) ?? '');
          else for (const spread of this.of(property['argument']).keys()) things.add(spread);
        }
      } else if (one.type === 'Namespace') {
        for (const key of this.exportsOf(this.#textOf.get(one.parent!)!).keys()) keys.add(key);
      } else for (const member of this.#membersOf(one)) keys.add(keyOf(member) ?? '');
    }
    keys.delete('');
    keys.delete('constructor');
    return [...keys];
  }
}

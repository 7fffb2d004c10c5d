import { REST } from './scopes.ts';
import { bare, calledName, isClass, isFunction, keyOf, type Node } from './syntax.ts';

/**
 * What an expression may be: the places in the code that make objects and functions (literals, `new`, calls of what is not the
 * author's), and how the expression lies to what is made there.
 */
export type Things = ReadonlyMap<Node, Depth>;

/** The thing itself, a part of it that has a name (`state.user`), or one of many in it (`sessions.get(id)`, `list[i]`). */
export type Depth = typeof ITSELF | typeof PART | typeof ONE_OF;
export const ITSELF = 0;
export const PART = 1;
export const ONE_OF = 2;

export const NOTHING: Things = new Map();
/** No expression of real code is that many things; what is beyond it is left out. */
const MAX_THINGS = 32;
/** Functions of the bundler's that run a module's top level when it is first asked for. */
const MODULE_WRAPPER = /^__(?:commonJS|esm)/;

/** Whether a function holds a module's top level, for the bundler's helper to run once. */
export function isModuleWrapper(fn: Node): boolean {
  const { parent } = fn;
  if (parent?.type === 'CallExpression') return wrappedFunction(parent) === fn;
  // An older form: `__commonJS({ 'a.js'(exports, module) { … } })`.
  const call = parent?.type === 'Property' ? parent.parent?.parent : null;
  return call?.type === 'CallExpression' && MODULE_WRAPPER.test(calledName(call));
}

export function wrappedFunction(call: Node): Node | null {
  const [first] = call['arguments'] as Node[];
  return first !== undefined && isFunction(first) && MODULE_WRAPPER.test(calledName(call)) ? first : null;
}

/** Names of classes whose instances hold values in memory. */
const CONTAINERS = /^(?:Array|Headers|FormData|URLSearchParams)$|(?:Map|Set|Cache|LRU|lru)$/;
/** Calls that make a new list or object. */
const MAKES =
  /^(?:Object\.(?:create|fromEntries|keys|values|entries)|Array\.(?:from|of)|Array|structuredClone)$/;
const MAKES_LIST = new Set(['concat', 'slice', 'filter', 'map', 'split']);

/** Whether a thing, or a part of it, may be a Map, Set, list or the like, rather than a client whose `set` goes elsewhere. */
export function isContainer(thing: Node, depth: Depth): boolean {
  switch (thing.type) {
    case 'ArrayExpression':
      return true;
    case 'ObjectExpression':
    case 'Exports':
      return depth !== ITSELF;
    case 'NewExpression':
      return CONTAINERS.test(calledName(thing)) || (depth !== ITSELF && !isClientName(calledName(thing)));
    case 'CallExpression':
      return makesContainer(thing);
    default:
      return isClass(thing) && depth !== ITSELF;
  }
}

function makesContainer(call: Node): boolean {
  const callee = bare(call['callee']);
  const object = callee.type === 'MemberExpression' ? `${callee['object'].name}.` : '';
  return MAKES.test(object + calledName(call)) || (object !== '' && MAKES_LIST.has(calledName(call)));
}

function isClientName(name: string): boolean {
  return /(?:Client|Pool|Connection|Redis|Database|DB|Queue)$/.test(name);
}

export function constructorOf(thing: Node): Node | null {
  if (!isClass(thing)) return null;
  const found = (thing['body'].body as Node[]).find(
    (member) => member.type === 'MethodDefinition' && member['kind'] === 'constructor',
  );
  return (found?.['value'] as Node | undefined) ?? null;
}

/** The way from a parameter's whole value to one of its names; null where it is the rest of the arguments. */
export function pathTo(pattern: Node, id: Node): readonly (string | null)[] | null {
  if (pattern.type === 'RestElement') return null;
  const path: (string | null)[] = [];
  for (let at = id; at !== pattern; at = at.parent!) {
    const { parent } = at;
    if (parent?.type === 'Property') path.unshift(keyOf(parent));
    else if (parent?.type === 'ArrayPattern')
      path.unshift(String((parent['elements'] as Node[]).indexOf(at)));
    else if (parent?.type === 'RestElement') path.unshift(REST);
  }
  return path;
}

export function hasFunction(things: Things): boolean {
  for (const thing of things.keys()) if (isFunction(thing)) return true;
  return false;
}

export function union(all: readonly Things[]): Things {
  const [only] = all;
  if (only === undefined) return NOTHING;
  if (all.length === 1) return only;
  const found = new Map<Node, Depth>();
  for (const things of all) {
    for (const [thing, depth] of things) {
      if (found.size >= MAX_THINGS && !found.has(thing)) return found;
      found.set(thing, Math.min(found.get(thing) ?? depth, depth) as Depth);
    }
  }
  return found;
}

export function pseudo(type: string, parent: Node): Node {
  return { type, start: parent.start, end: parent.end, parent };
}

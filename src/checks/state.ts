import type { Dependence } from './dependence.ts';
import { isGuarded, mentions, ONLY_ITSELF } from './guards.ts';
import type { Phases } from './phases.ts';
import type { Binding } from './scopes.ts';
import { calledName, functionAround, isFunction, isWithin, walk, type Node } from './syntax.ts';
import { ITSELF } from './things.ts';
import { writesOf, type Target, type Write } from './writes.ts';

/** All that request code writes to one variable or object which outlives requests. */
export interface StateGroup {
  readonly target: Target;
  /** How the author calls it: the name of the variable that holds it. */
  readonly name: string;
  /** The variable itself, or the one that the object was made for; null where there is none. */
  readonly binding: Binding | null;
  readonly writes: readonly Write[];
}

/**
 * What request code writes to what outlives requests, without what is harmless whichever mode it runs in: caches whose values
 * depend on nothing but their key, and WeakMaps, whose entries belong to whoever holds the key.
 */
export function stateGroups(phases: Phases, dependence: Dependence): StateGroup[] {
  const byTarget = new Map<unknown, Write[]>();
  for (const write of writesOf(phases)) {
    // Properties of one object are written for reasons of their own; entries belong together.
    const owner = write.target.kind === 'variable' ? write.target.binding : write.target.thing;
    const known = byTarget.get(owner);
    if (known === undefined) byTarget.set(owner, [write]);
    else known.push(write);
  }
  const holders = holdersOf(phases);
  return [...byTarget.values()].flatMap((writes) => {
    const { target } = writes[0]!;
    if (isWeak(target)) return [];
    const kept = writes.filter((write) => !isMemo(write));
    const adding = kept.filter((write) => !['remove', 'take', 'clear'].includes(write.kind));
    // Where all that goes in is a cache's, what is taken out again is its upkeep.
    if (adding.length === 0 && writes.length > kept.length) return [];
    const binding = target.kind === 'variable' ? target.binding : (holders.get(target.thing) ?? null);
    return kept.length === 0 ? [] : [{ target, name: shownName(target, binding), binding, writes: kept }];
  });

  /** A value kept so that it need not be made again: the same for every request, or for every request with that key. */
  function isMemo(write: Write): boolean {
    const { value, key } = write;
    if (value === null || !['assign', 'entry'].includes(write.kind) || !isGuarded(write, phases))
      return false;
    const own = value.type === 'LogicalExpression' ? value['right'] : value;
    if (
      write.target.kind === 'object' &&
      write.kind === 'entry' &&
      mentions(own, write.target, phases, ONLY_ITSELF)
    )
      return false;
    return key === null ? !dependence.isDependent(value) : dependence.dependsOnlyOn(own, key);
  }
}

/**
 * Whether one function, within one turn of the event loop, sets a target anew and uses it: nobody else can come between.
 */
export function isScratch(group: StateGroup, phases: Phases): boolean {
  const { binding, writes } = group;
  const { fn } = writes[0]!;
  if (binding === null || writes.some((write) => write.fn !== fn)) return false;
  if (writes.some(({ target }) => target.kind === 'object' && target.name === 'this')) return false;
  if (writes[0]!.kind !== 'clear' && writes[0]!.kind !== 'assign') return false;
  if (isGuarded(writes[0]!, phases) || !standsAlone(writes[0]!.node, fn)) return false;
  const reads = binding.reads.filter((read) => functionAround(read) !== null);
  if (reads.some((read) => functionAround(read) !== fn || read.parent?.type === 'ReturnStatement'))
    return false;
  const last = Math.max(...reads.map((read) => read.end), ...writes.map((write) => write.node.end));
  const first = writes[0]!.node.start;
  // A read before the first write sees what another request left.
  if (reads.some((read) => read.start < first && !isWithin(read, statementOf(writes[0]!.node)))) return false;
  let isCut = false;
  walk(fn['body'], (node) => {
    if (isFunction(node)) return false;
    const waits =
      node.type === 'AwaitExpression' ||
      node.type === 'YieldExpression' ||
      (node.type === 'ForOfStatement' && node['await']);
    if (waits && node.end > first && node.start < last) isCut = true;
    return !isCut;
  });
  return !isCut;
}

/** Whether a write is made whenever its function runs. */
function standsAlone(node: Node, fn: Node): boolean {
  return statementOf(node).parent === fn['body'];
}

function statementOf(node: Node): Node {
  let at = node;
  while (!/Statement$|Declaration$/.test(at.type) && at.parent !== null) at = at.parent;
  return at;
}

/** The variable that holds a thing, by thing: the first one that is given it as a whole. */
function holdersOf(phases: Phases): Map<Node, Binding> {
  const holders = new Map<Node, Binding>();
  for (const binding of phases.values.bindings) {
    if (binding.kind === 'parameter' || !phases.isSharedBinding(binding)) continue;
    for (const [thing, depth] of phases.values.ofBinding(binding)) {
      if (depth === ITSELF && !holders.has(thing)) holders.set(thing, binding);
    }
  }
  return holders;
}

function shownName(target: Target, binding: Binding | null): string {
  const name = binding?.name ?? (target.kind === 'object' ? target.name : 'it');
  // The bundler calls what has no name of its own after the file.
  return name === 'this' || name === 'it' || /_default(?:\$\d+)?$/.test(name)
    ? 'An object of the module'
    : `'${name.replace(/\$\d+$/, '')}'`;
}

function isWeak(target: Target): boolean {
  if (target.kind === 'variable' || target.depth !== ITSELF) return false;
  return (
    target.thing.type === 'NewExpression' &&
    /^(?:Weak(?:Map|Set|Ref)|AsyncLocalStorage)$/.test(calledName(target.thing))
  );
}

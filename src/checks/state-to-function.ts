import type { Dependence } from './dependence.ts';
import { isBehindState, isGuarded } from './guards.ts';
import type { Phases } from './phases.ts';
import type { Raw } from './raw.ts';
import { isAlone, type Binding } from './scopes.ts';
import { isScratch, type StateGroup } from './state.ts';
import { bare, calledName, functionAround, isFunction, isWithin, keyOf, walk, type Node } from './syntax.ts';
import { ITSELF } from './things.ts';
import type { Write } from './writes.ts';

/** Methods that only write, where nobody uses what they give. */
const ONLY_WRITES = new Set([
  'set',
  'add',
  'push',
  'unshift',
  'delete',
  'clear',
  'append',
  'sort',
  'reverse',
  'fill',
]);

/** What one request keeps in memory for a later one, which may come to another instance, or to a new one. */
export function stateToFunction(
  groups: readonly StateGroup[],
  phases: Phases,
  dependence: Dependence,
): Raw[] {
  // What each request has made anew is not meant for the next.
  const renewed = new Set(
    groups
      .filter((group) =>
        group.writes.some(
          (write) =>
            write.kind === 'assign' &&
            write.property === null &&
            isMade(write.value!) &&
            !isGuarded(write, phases),
        ),
      )
      .map((group) => group.binding),
  );
  const names = usedNames(phases);
  const uses = new Map<Node, Node[]>();
  return groups.filter((group) => !isScratch(group, phases)).flatMap(judge);

  function judge(group: StateGroup): Raw[] {
    if (group.target.kind === 'object' && group.binding !== null && renewed.has(group.binding)) return [];
    if (isReadThrough(group)) return [];
    // Nor what is emptied.
    if (group.writes.some((write) => write.kind === 'clear' && !isGuarded(write, phases))) return [];
    return group.writes.flatMap((write) => {
      const severity = verdict(write, group);
      if (severity === null) return [];
      const rule = severity === 'warning' ? 'memory-state' : 'lost-counter';
      return [{ rule, severity, node: write.node, message: sentence(rule, group.name) } as const];
    });
  }

  function verdict(write: Write, group: StateGroup): Raw['severity'] | null {
    const isKept =
      write.kind === 'entry' ||
      write.kind === 'add' ||
      (write.target.kind === 'object' && write.target.depth !== ITSELF);
    if (isKept && write.target.kind === 'object') {
      if (write.target.thing.type === 'Outside' || !isRead(write, group)) return null;
      if (write.kind === 'count' || write.kind === 'remove' || write.kind === 'take') return null;
      const isOfRequest = [write.value, write.key].some(
        (node) =>
          node !== null &&
          (dependence.isDependent(node) || (node === write.key && dependence.isMoment(node))),
      );
      return isOfRequest ? 'warning' : null;
    }
    switch (write.kind) {
      case 'count':
        return isUsed(write) || isReadAnywhere(write, group) ? 'note' : null;
      case 'assign':
      case 'merge':
        if (write.target.kind === 'object' && write.target.thing.type === 'Outside') return null;
        if (!isCarried(write, group) || isBehindFixed(write)) return null;
        if (dependence.isDependent(write.value!)) return 'warning';
        return isPlain(write.value!) ? null : 'note';
      case 'entry':
      case 'add':
      case 'take':
      case 'remove':
      case 'clear':
        return null;
    }
  }

  /** Whether some function leads to `writer` first and to `reader` later on the same way. */
  function follows(writer: Node, reader: Node, callers: ReadonlySet<Node>): boolean {
    return [...callers].some((caller) => {
      const steps = phases.stepsIn(caller);
      const writing = steps.filter(({ fns }) => fns.some((fn) => phases.reachedFrom(fn).has(writer)));
      const reading = steps.filter(({ fns }) => fns.some((fn) => phases.reachedFrom(fn).has(reader)));
      return writing.some((first) =>
        reading.some(
          (then) => then.node.start > first.node.start && isWithin(then.node, blockOf(first.node)),
        ),
      );
    });
  }

  function isReadAnywhere(write: Write, group: StateGroup): boolean {
    return readsOf(write, group).some(
      (read) => phases.isRequest(functionAround(read)) && !isOwnTest(read, write),
    );
  }

  function isBehindFixed(write: Write): boolean {
    return isBehindState(write, phases) && !dependence.isDependent(write.value!);
  }

  /** Whether a later request reads what this one wrote: in a function that the writer does not lead to, or before it writes. */
  function isCarried(write: Write, group: StateGroup): boolean {
    const reached = phases.reachedFrom(write.fn);
    const reaching = new Set(
      phases.values.functions.filter((fn) => phases.isRequest(fn) && phases.reachedFrom(fn).has(write.fn)),
    );
    return readsOf(write, group).some((read) => {
      const fn = functionAround(read);
      if (fn === null || !phases.isRequest(fn) || isWithin(read, write.node)) return false;
      if (fn === write.fn) return read.start < write.node.start && !isOwnTest(read, write);
      if (handsOn(write)) return false;
      // A caller of the writer, what the writer leads to, and what a caller of both leads to later belong to the same request.
      return !reached.has(fn) && !reaching.has(fn) && !follows(write.fn, fn, reaching);
    });
  }

  /** `if (x === v) …` around the write, or `x = f(x)`. */
  function isOwnTest(read: Node, write: Write): boolean {
    return write.value !== null && isWithin(read, write.value);
  }

  function readsOf(write: Write, group: StateGroup): Node[] {
    if (write.target.kind === 'variable') return write.target.binding.reads;
    const { thing } = write.target;
    return usesOf(thing, group).filter((use) => {
      let member = use.parent;
      if (member?.type !== 'MemberExpression' || member['object'] !== use) return !isOnlyWritten(use);
      if (keyOf(member) === 'default' && member.parent?.type === 'MemberExpression') member = member.parent;
      const isSame = write.property === null || keyOf(member) === null || keyOf(member) === write.property;
      return isSame && !isOnlyWritten(use);
    });
  }

  function isRead(write: Write, group: StateGroup): boolean {
    return (
      write.target.kind === 'object' && usesOf(write.target.thing, group).some((use) => !isOnlyWritten(use))
    );
  }

  /** Where request code uses a thing. */
  function usesOf(thing: Node, group: StateGroup): Node[] {
    const known = uses.get(thing);
    if (known !== undefined) return known;
    const found = names.filter(
      (node) => phases.values.of(node).get(thing) === ITSELF || isHeldBy(node, group),
    );
    uses.set(thing, found);
    return found;
  }

  /** Whether whoever finds nothing under a key goes on to get it from elsewhere: what is kept is only nearer, not all there is. */
  function isReadThrough(group: StateGroup): boolean {
    if (group.target.kind !== 'object') return false;
    const reads = usesOf(group.target.thing, group).filter((use) => !isOnlyWritten(use) && !isUpkeep(use));
    return reads.length > 0 && reads.every((use) => hasFallback(use, phases));
  }

  function isHeldBy(node: Node, group: StateGroup): boolean {
    return (
      group.binding !== null && node.type === 'Identifier' && phases.values.bindingOf(node) === group.binding
    );
  }
}

/** Every name (and `this`) that request code uses for what it does with it. */
function usedNames(phases: Phases): Node[] {
  const found: Node[] = [];
  for (const { program } of phases.values.texts) {
    walk(program, (node) => {
      if (node.type !== 'Identifier' && node.type !== 'ThisExpression') return;
      if (!phases.isRequest(functionAround(node))) return;
      const binding = node.type === 'Identifier' ? phases.values.bindingOf(node) : null;
      if (node.type === 'Identifier' && (binding === null || binding.node === node)) return;
      if (!isPassedOn(node, phases)) found.push(node);
    });
  }
  return found;
}

/** Whether a thing is only given another name, under which its uses are found as well: `const s = state`, `put(state)`. */
function isPassedOn(use: Node, phases: Phases): boolean {
  const { parent } = use;
  if (parent?.type === 'VariableDeclarator') return true;
  if (parent?.type === 'AssignmentExpression')
    return parent['right'] === use && parent['left'].type === 'Identifier';
  if (parent?.type === 'ReturnStatement' || parent?.type === 'ArrowFunctionExpression') {
    const fn = functionAround(use);
    return fn !== null && !phases.handlers.has(fn);
  }
  return (
    parent?.type === 'CallExpression' && parent['callee'] !== use && phases.values.calledBy(parent).length > 0
  );
}

/** `cache.size`, `cache.keys().next()`: what is asked to keep a bound. */
function isUpkeep(use: Node): boolean {
  const member = use.parent;
  return (
    member?.type === 'MemberExpression' && ['size', 'length', 'keys', 'delete'].includes(keyOf(member) ?? '')
  );
}

/** `const hit = cache.get(key); if (hit) return hit; …await …`, or `cache.get(key) ?? (await load(key))`. */
function hasFallback(use: Node, phases: Phases): boolean {
  let value = use.parent!;
  if (value.type !== 'MemberExpression' || value['object'] !== use) return false;
  if (value.parent?.type === 'CallExpression' && value.parent['callee'] === value) value = value.parent;
  if (value.parent?.type === 'LogicalExpression' && value.parent['left'] === value)
    return waits(value.parent['right']);
  const id = value.parent?.type === 'VariableDeclarator' ? (value.parent['id'] as Node) : null;
  const binding = id?.type === 'Identifier' ? phases.values.bindingOf(id) : null;
  const declaration = value.parent?.parent;
  if (binding === null || declaration?.parent?.type !== 'BlockStatement') return false;
  const after = (declaration.parent['body'] as Node[]).filter(
    (statement) => statement.start > declaration.start,
  );
  const hit = after[0];
  if (hit?.type !== 'IfStatement' || hit['alternate'] !== null) return false;
  const returned =
    hit['consequent'].type === 'BlockStatement' ? hit['consequent'].body.at(-1) : hit['consequent'];
  const isHit =
    returned?.type === 'ReturnStatement' &&
    returned['argument'] !== null &&
    uses(returned['argument'], binding, phases);
  return isHit && after.slice(1).some(waits);
}

function uses(node: Node, binding: Binding, phases: Phases): boolean {
  let found = false;
  walk(node, (at) => {
    found ||= at.type === 'Identifier' && phases.values.bindingOf(at) === binding;
    return !found;
  });
  return found;
}

function waits(node: Node): boolean {
  let found = false;
  walk(node, (at) => {
    found ||= at.type === 'AwaitExpression';
    return !found && !isFunction(at);
  });
  return found;
}

/** Whether a use of a thing only changes it: `list.push(x)`, `o[k] = v`, `o.n++` as statements. */
function isOnlyWritten(use: Node): boolean {
  let member = use.parent;
  while (member?.parent?.type === 'MemberExpression' && member.parent['object'] === member)
    member = member.parent;
  if (member?.type !== 'MemberExpression') return isArgumentOfMerge(use);
  const { parent } = member;
  if (parent?.type === 'AssignmentExpression') return parent['left'] === member;
  if (
    parent?.type === 'UpdateExpression' ||
    (parent?.type === 'UnaryExpression' && parent['operator'] === 'delete')
  )
    return isAlone(parent);
  const isCallee = parent?.type === 'CallExpression' && bare(parent['callee']) === member;
  return isCallee && ONLY_WRITES.has(keyOf(member) ?? '') && isAlone(parent);
}

function isArgumentOfMerge(use: Node): boolean {
  const call = use.parent;
  return (
    call?.type === 'CallExpression' &&
    call['arguments'][0] === use &&
    isAlone(call) &&
    /^(?:assign|set|defineProperty)$/.test(calledName(call))
  );
}

/** Whether the value of `x++` is used where it stands. */
function isUsed(write: Write): boolean {
  const { node } = write;
  const expression = node.type === 'UpdateExpression' ? node : node.parent!;
  return !isAlone(expression);
}

/** Middleware: what runs after `next()` belongs to the same request. */
function handsOn({ fn, node }: Write): boolean {
  let found = false;
  walk(fn['body'], (at) => {
    found ||=
      at.type === 'CallExpression' &&
      calledName(at) === 'next' &&
      bare(at['callee']).type === 'Identifier' &&
      at.start > node.start;
    return !found;
  });
  return found;
}

/** What surely runs after a node, if nothing leaves: the block it stands in. */
function blockOf(node: Node): Node {
  let at = node.parent!;
  while (
    at.parent !== null &&
    at.type !== 'BlockStatement' &&
    at.type !== 'SwitchCase' &&
    at.type !== 'IfStatement'
  )
    at = at.parent;
  return at;
}

function isMade(value: Node): boolean {
  return ['ObjectExpression', 'ArrayExpression', 'NewExpression'].includes(bare(value).type);
}

function isPlain(value: Node): boolean {
  const at = bare(value);
  if (at.type === 'UnaryExpression') return isPlain(at['argument']);
  return at.type === 'Literal' || (at.type === 'Identifier' && at['name'] === 'undefined');
}

function sentence(rule: 'memory-state' | 'lost-counter', name: string): string {
  return rule === 'memory-state'
    ? `${name} keeps what one request wrote for a later one: a function's instance has it alone, and loses it when it ends.`
    : `${name} is counted by each instance for itself, and from the beginning in a new one.`;
}

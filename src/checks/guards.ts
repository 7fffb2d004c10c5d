import type { Phases } from './phases.ts';
import { childrenOf, isFunction, walk, type Node } from './syntax.ts';
import type { Target, Write } from './writes.ts';

/**
 * Whether a write is made only where a look at its target says so: `x ??= v`, `if (!cache.has(key)) cache.set(key, v)`,
 * `if (x) return x; x = v`, `const hit = cache.get(key); if (hit !== undefined) return hit; …`.
 */
export function isGuarded(write: Write, phases: Phases): boolean {
  return isBehind(write, (test) => mentions(test, write.target, phases));
}

/** The same, where the look may be at any variable that outlives requests: `if (Date.now() > validUntil) rates = …`. */
export function isBehindState(write: Write, phases: Phases): boolean {
  return isBehind(write, (test) => readsState(test, phases));
}

function isBehind(write: Write, isLook: (test: Node) => boolean): boolean {
  if (write.isConditional) return true;
  if (write.value?.type === 'LogicalExpression' && isLook(write.value['left'])) return true;
  for (let at = write.node; at.parent !== null && !isFunction(at); at = at.parent) {
    const { parent } = at;
    const isBranch =
      parent.type === 'IfStatement' ||
      parent.type === 'ConditionalExpression' ||
      parent.type === 'WhileStatement';
    if (isBranch && parent['test'] !== at && isLook(parent['test'])) return true;
    if (parent.type === 'LogicalExpression' && parent['right'] === at && isLook(parent['left'])) return true;
    if (parent.type === 'SwitchCase' && isLook(parent.parent!['discriminant'])) return true;
    const siblings = parent.type === 'BlockStatement' ? (parent['body'] as Node[]) : [];
    for (const before of siblings.slice(0, Math.max(0, siblings.indexOf(at)))) {
      if (before.type === 'IfStatement' && leaves(before['consequent']) && isLook(before['test']))
        return true;
    }
  }
  return false;
}

/** As a depth for {@link mentions}: local variables are not followed. */
export const ONLY_ITSELF = 2;

/** Whether an expression reads the target, itself or by a local variable that was made of it. */
export function mentions(expression: Node, target: Target, phases: Phases, depth = 0): boolean {
  let found = false;
  walk(expression, (node) => {
    if (found || isFunction(node)) return false;
    found = isOf(node, target, phases);
    if (found || node.type !== 'Identifier' || depth >= ONLY_ITSELF) return !found;
    const binding = phases.values.bindingOf(node);
    if (binding === null || binding.kind !== 'variable' || phases.isSharedBinding(binding)) return true;
    found = binding.given.some((given) => mentions(given.node, target, phases, depth + 1));
    return !found;
  });
  return found;
}

function readsState(test: Node, phases: Phases): boolean {
  let found = false;
  walk(test, (node) => {
    const binding = node.type === 'Identifier' ? phases.values.bindingOf(node) : null;
    if (binding?.kind === 'variable' && phases.isSharedBinding(binding) && binding.given.length > 1)
      found = true;
    return !found;
  });
  return found;
}

/** Whether a node is a use of the target. */
function isOf(node: Node, target: Target, phases: Phases): boolean {
  if (target.kind === 'variable')
    return node.type === 'Identifier' && phases.values.bindingOf(node) === target.binding;
  if (node.type !== 'Identifier' && node.type !== 'ThisExpression' && node.type !== 'MemberExpression')
    return false;
  const depth = phases.values.of(node).get(target.thing);
  return depth !== undefined && depth <= target.depth;
}

/** Whether nothing behind a statement runs after it. */
function leaves(statement: Node): boolean {
  if (['ReturnStatement', 'ThrowStatement', 'ContinueStatement', 'BreakStatement'].includes(statement.type))
    return true;
  return statement.type === 'BlockStatement' && childrenOf(statement).some(leaves);
}

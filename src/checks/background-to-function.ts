import { originOf } from './origin.ts';
import type { Phases } from './phases.ts';
import type { Raw } from './raw.ts';
import { bare, calledName, functionAround, isFunction, walk, type Node } from './syntax.ts';

const MESSAGE = 'Nobody waits for this: the instance may end before it is done.';
const PROMISES = new Set(['all', 'allSettled', 'race', 'any']);
const CHAINS = new Set(['then', 'catch', 'finally']);
const PROCESSES = new Set(['exec', 'execFile', 'spawn', 'fork']);
const EACH = new Set(['forEach', 'map']);

/** Work that request code begins and does not wait for. */
export function backgroundToFunction(phases: Phases): Raw[] {
  const { values } = phases;
  const found: Raw[] = [];
  for (const text of values.texts) {
    walk(text.program, (node) => {
      if (node.type !== 'ExpressionStatement' || !phases.isRequest(functionAround(node))) return;
      const expression = discarded(node['expression']);
      if (expression !== null && isPromise(expression)) {
        found.push({ rule: 'background', severity: 'warning', node: expression, message: MESSAGE });
      }
    });
  }
  return found;

  /** The call whose result a statement throws away; null where there is none. */
  function discarded(expression: Node): Node | null {
    if (expression.type === 'UnaryExpression' && expression['operator'] === 'void')
      return discarded(expression['argument']);
    if (expression.type === 'ChainExpression') return discarded(expression['expression']);
    if (expression.type === 'LogicalExpression') return discarded(expression['right']);
    return expression.type === 'CallExpression' ? expression : null;
  }

  function isPromise(call: Node): boolean {
    const name = calledName(call);
    const callee = bare(call['callee']);
    if (callee.type === 'MemberExpression') {
      if (CHAINS.has(name)) return isChain(callee['object'], name);
      if (callee['object'].name === 'Promise' && PROMISES.has(name)) return true;
      if (EACH.has(name)) return (call['arguments'] as Node[]).slice(0, 1).some(isAsync);
    }
    if (isFunction(callee)) return callee['async'] === true;
    const origin = originOf(callee, values);
    if (origin?.module === '' && origin.name === 'fetch') return true;
    if (origin?.module === 'fs/promises' || (origin?.module === 'fs' && origin.name.startsWith('promises.')))
      return true;
    if (origin?.module === 'child_process' && origin.made === 0 && PROCESSES.has(origin.name)) {
      // With a callback somebody hears of its end.
      return !(call['arguments'] as Node[]).some((argument) =>
        [...values.of(argument).keys()].some(isFunction),
      );
    }
    const called = values.calledBy(call);
    return called.length > 0 && called.every((fn) => fn['async'] === true && fn['generator'] !== true);
  }

  /** `p.then(…)`: a promise, unless `catch` or `finally` is a name of something that is none. */
  function isChain(object: Node, name: string): boolean {
    const inner = bare(object);
    if (inner.type !== 'CallExpression') return name === 'then';
    return name === 'then' || isPromise(inner) || values.calledBy(inner).length === 0;
  }

  function isAsync(argument: Node): boolean {
    return [...values.of(argument).keys()].some((fn) => isFunction(fn) && fn['async'] === true);
  }
}

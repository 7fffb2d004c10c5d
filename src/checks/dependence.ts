import type { Phases } from './phases.ts';
import type { Binding } from './scopes.ts';
import { bare, calledName, functionAround, isFunction, isWithin, walk, type Node } from './syntax.ts';

/**
 * What a value is made of: parameters of functions, `request` for what only a request can give (an AsyncLocalStorage's
 * store, a caught error), `moment` for what differs each time (the time, random numbers, ids).
 */
export type Source = Binding | 'request' | 'moment';

const MOMENTS = new Set([
  'now',
  'random',
  'randomUUID',
  'randomBytes',
  'randomInt',
  'hrtime',
  'nanoid',
  'uuid',
  'v4',
  'v7',
  'ulid',
]);
/** Of values made of values: further no code goes that people write, and the stack does not reach for ever. */
const MAX_DEPTH = 100;
const NONE: ReadonlySet<Source> = new Set();

/** What values depend on, and whether that is a request. */
export class Dependence {
  readonly #phases: Phases;
  #depth = 0;
  readonly #ofNode = new Map<Node, ReadonlySet<Source>>();
  readonly #ofBinding = new Map<Binding, ReadonlySet<Source>>();
  readonly #dependent = new Map<Binding, boolean>();
  readonly #ofReturns = new Map<Node, ReadonlySet<Source>>();

  constructor(phases: Phases) {
    this.#phases = phases;
  }

  sourcesOf(node: Node): ReadonlySet<Source> {
    const known = this.#ofNode.get(node);
    if (known !== undefined || this.#depth >= MAX_DEPTH) return known ?? NONE;
    this.#ofNode.set(node, NONE);
    this.#depth += 1;
    const found = this.#find(node);
    this.#depth -= 1;
    this.#ofNode.set(node, found);
    return found;
  }

  #find(node: Node): ReadonlySet<Source> {
    const found = new Set<Source>();
    walk(node, (at) => {
      if (at.type === 'Identifier') {
        const binding = this.#phases.values.bindingOf(at);
        // What a function inside makes for itself is not what the value is made of.
        if (binding !== null && !(binding.owner !== null && isWithin(binding.owner, node))) {
          for (const source of this.#sourcesOfBinding(binding)) found.add(source);
        }
      } else if (at.type === 'CallExpression' || at.type === 'NewExpression') {
        for (const source of this.#ofCall(at)) found.add(source);
      }
    });
    return found;
  }

  /** Whether a value differs from request to request because of what the request is. */
  isDependent(node: Node): boolean {
    return [...this.sourcesOf(node)].some((source) => this.#isRequests(source));
  }

  /** Whether all that `value` depends on, requests considered, is what `key` depends on. */
  dependsOnlyOn(value: Node, key: Node): boolean {
    const allowed = this.sourcesOf(key);
    return [...this.sourcesOf(value)].every((source) => allowed.has(source) || !this.#isRequests(source));
  }

  /** Whether a value is a different one each time it is made, whatever the request. */
  isMoment(node: Node): boolean {
    return this.sourcesOf(node).has('moment');
  }

  #isRequests(source: Source): boolean {
    if (source === 'request') return true;
    return source === 'moment' ? false : this.#isRequestParameter(source);
  }

  #isRequestParameter(parameter: Binding): boolean {
    const known = this.#dependent.get(parameter);
    if (known !== undefined) return known;
    this.#dependent.set(parameter, false);
    const found = this.#findDependent(parameter);
    this.#dependent.set(parameter, found);
    return found;
  }

  #findDependent(parameter: Binding): boolean {
    const fn = parameter.owner!;
    const { values } = this.#phases;
    if (this.#phases.handlers.has(fn)) return !this.#phases.isFixedParameter(parameter);
    const callers = [...values.callersOf(fn)].filter((call) => this.#phases.isRequest(functionAround(call)));
    if (callers.length > 0) {
      return callers.some((call) => {
        const argument = (call['arguments'] as Node[])[parameter.index];
        return argument !== undefined && this.isDependent(argument);
      });
    }
    // A callback is given what its receiver holds: `TABLE.forEach((row) => …)`.
    const call = fn.parent;
    if (call?.type === 'CallExpression' && (call['arguments'] as Node[]).includes(fn)) {
      const callee = bare(call['callee']);
      if (callee.type === 'MemberExpression') return this.isDependent(callee['object']);
      return (call['arguments'] as Node[]).some((other) => other !== fn && this.isDependent(other));
    }
    return call?.type !== 'NewExpression';
  }

  #sourcesOfBinding(binding: Binding): ReadonlySet<Source> {
    const known = this.#ofBinding.get(binding);
    if (known !== undefined) return known;
    this.#ofBinding.set(binding, new Set());
    const found = this.#findSources(binding);
    this.#ofBinding.set(binding, found);
    return found;
  }

  #findSources(binding: Binding): ReadonlySet<Source> {
    // What a function was given while the module was loaded is the same for every request.
    if (binding.kind === 'parameter')
      return this.#phases.isRequest(binding.owner) ? new Set([binding]) : NONE;
    if (binding.kind === 'caught') return new Set(['request']);
    if (binding.kind !== 'variable') return new Set();
    if (this.#phases.isSharedBinding(binding)) {
      // What is there for all requests depends on none, unless one has put something of its own there.
      const written = binding.given.filter(({ node }) => this.#phases.isRequest(functionAround(node)));
      return new Set(written.some(({ node }) => this.isDependent(node)) ? ['request' as const] : []);
    }
    const found = new Set<Source>();
    for (const { node } of binding.given) for (const source of this.sourcesOf(node)) found.add(source);
    return found;
  }

  #ofCall(call: Node): ReadonlySet<Source> {
    const name = calledName(call);
    if (name === 'getStore') return new Set(['request']);
    const isMoment = MOMENTS.has(name) || (name === 'Date' && (call['arguments'] as Node[]).length === 0);
    if (isMoment) return new Set(['moment']);
    const found = new Set<Source>();
    for (const fn of this.#phases.values.calledBy(call))
      for (const source of this.#ofReturned(fn)) found.add(source);
    return found;
  }

  /** What a function's result depends on besides its arguments. */
  #ofReturned(fn: Node): ReadonlySet<Source> {
    const known = this.#ofReturns.get(fn);
    if (known !== undefined) return known;
    this.#ofReturns.set(fn, new Set());
    const found = new Set<Source>();
    for (const value of this.#phases.values.returnsOf(fn)) {
      for (const source of this.sourcesOf(value)) {
        if (source === 'request' || source === 'moment') found.add(source);
        else if (source.owner !== null && source.owner !== fn && isFunction(source.owner)) found.add(source);
      }
    }
    this.#ofReturns.set(fn, found);
    return found;
  }
}

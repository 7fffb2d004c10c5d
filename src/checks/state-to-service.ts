import type { Dependence } from './dependence.ts';
import { isBehindState, isGuarded, mentions } from './guards.ts';
import type { Phases } from './phases.ts';
import type { Raw } from './raw.ts';
import { isScratch, type StateGroup } from './state.ts';
import { bare, calledName, functionAround, type Node } from './syntax.ts';
import { ITSELF, ONE_OF } from './things.ts';
import type { Write } from './writes.ts';

/** What several requests at a time would see of each other in something that is there for all of them. */
export function stateToService(groups: readonly StateGroup[], phases: Phases, dependence: Dependence): Raw[] {
  return groups
    .filter((group) => !isScratch(group, phases))
    .flatMap((group) => group.writes.flatMap((write) => judge(write, group)));

  function judge(write: Write, group: StateGroup): Raw[] {
    const found = verdict(write, group);
    if (found === null) return [];
    const isVariable = write.target.kind === 'variable';
    const rule = found === 'breaks' ? (isVariable ? 'shared-variable' : 'shared-object') : found;
    return [
      {
        rule,
        severity: found === 'breaks' ? 'warning' : 'note',
        node: write.node,
        message: sentence(found, group.name),
      },
    ];
  }

  function verdict(
    write: Write,
    group: StateGroup,
  ): 'breaks' | 'shared-counter' | 'shared-entry' | 'shared-value' | null {
    const { value, target } = write;
    const isDependent = value !== null && dependence.isDependent(value);
    const isOneOf = target.kind === 'object' && target.depth === ONE_OF;
    const isLibrarys = target.kind === 'object' && target.thing.type === 'Outside';
    switch (write.kind) {
      case 'count':
        if (isOneOf) return 'shared-entry';
        return isDependent && !isNumber(value) ? 'breaks' : 'shared-counter';
      case 'entry':
        return isLibrarys && isDependent ? 'breaks' : 'shared-entry';
      case 'add':
        if (isOneOf || isSet(target)) return 'shared-entry';
        return isDependent ? 'breaks' : 'shared-value';
      case 'take':
        return isOneOf ? 'shared-entry' : 'shared-value';
      case 'remove':
        return group.writes.some((other) => other.kind === 'entry' || other.kind === 'add')
          ? null
          : 'shared-entry';
      case 'clear':
        if (isGuarded(write, phases)) return null;
        return isOneOf ? 'shared-entry' : 'breaks';
      case 'merge':
      case 'assign':
        if (isOneOf) return 'shared-entry';
        if (isDependent) return 'breaks';
        return ofFixed(write, value!);
    }
  }

  /** A value that is the same whoever asks may still be one that each request makes for itself. */
  function ofFixed(write: Write, value: Node): 'breaks' | 'shared-value' | null {
    const bareValue = bare(value);
    if (isBehindState(write, phases)) return null;
    if (
      ['ObjectExpression', 'ArrayExpression', 'NewExpression'].includes(bareValue.type) &&
      write.kind === 'assign'
    ) {
      return dependence.isMoment(value) ? ofMoment(write) : 'breaks';
    }
    return dependence.isMoment(value) ? ofMoment(write) : 'shared-value';
  }

  /** The time or an id that the same request reads again: another may have set it since. */
  function ofMoment(write: Write): 'breaks' | 'shared-value' {
    const reached = phases.reachedFrom(write.fn);
    const isReadLater =
      write.target.kind === 'variable' &&
      write.target.binding.reads.some((read) => {
        const fn = functionAround(read);
        return fn === write.fn ? read.start > write.node.end : fn !== null && reached.has(fn);
      });
    return isReadLater || (write.target.kind === 'object' && readsProperty(write))
      ? 'breaks'
      : 'shared-value';
  }

  function readsProperty(write: Write): boolean {
    return (write.fn['body'].type === 'BlockStatement' ? (write.fn['body'].body as Node[]) : []).some(
      (statement) => statement.start > write.node.end && mentions(statement, write.target, phases),
    );
  }
}

function sentence(found: string, name: string): string {
  switch (found) {
    case 'shared-counter':
      return `${name} counts the requests of all clients together.`;
    case 'shared-entry':
      return `${name} holds entries of all requests, for as long as the service runs.`;
    case 'shared-value':
      return `${name} is set for all requests at once.`;
    default:
      return `${name} is written by a request and shared with all others that run at the same time: one would see what belongs to another.`;
  }
}

/** Whether a value is a number, as far as its form tells: sizes and differences are added up, not kept. */
function isNumber(node: Node): boolean {
  const value = bare(node);
  if (value.type === 'Literal') return typeof value['value'] === 'number';
  if (value.type === 'UnaryExpression') return value['operator'] !== 'typeof';
  if (value.type === 'BinaryExpression')
    return value['operator'] !== '+' || (isNumber(value['left']) && isNumber(value['right']));
  if (value.type === 'CallExpression')
    return [
      'Number',
      'parseInt',
      'parseFloat',
      'now',
      'byteLength',
      'round',
      'ceil',
      'floor',
      'max',
      'min',
    ].includes(calledName(value));
  return (
    value.type === 'MemberExpression' &&
    ['length', 'size', 'byteLength'].includes(value['property'].name as string)
  );
}

function isSet(target: Write['target']): boolean {
  return (
    target.kind === 'object' &&
    target.depth === ITSELF &&
    target.thing.type === 'NewExpression' &&
    calledName(target.thing) === 'Set'
  );
}

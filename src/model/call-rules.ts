/**
 * Which calls between components are made at all, and what is said of those that fail: the same within a process as from one to
 * another, so that nobody can tell the two apart.
 */
import { asFulcrumError, type ErrorCode, FulcrumError } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import { MAX_CALL_DEPTH } from './calls.ts';
import type { CallStep, InvocationContext } from './invocation.ts';

/** A call before it is made. */
export interface WantedCall {
  readonly from: string;
  readonly to: string;
  /** Null of a request through a service binding. */
  readonly function: string | null;
  /** The call that the one who calls is part of; null where nobody has called it. */
  readonly by: CallStep | null;
  readonly requestId: string;
}

/** What is known of a call wherever it fails. */
export type NamedCall = Pick<WantedCall, 'from' | 'to' | 'function'> & { readonly requestId: string | null };

interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface CallRules {
  /** All that can be called at this moment. */
  components(): Iterable<string>;
  /** Whether a component is a folder of files, which cannot be called. Absent: there are none. */
  isStatic?(component: string): boolean;
  /** The components that `component` may call; null: any. */
  callsOf(component: string): readonly string[] | null;
}

/** `call` as a step of its chain. */
export function stepOf({ to, function: called, by }: WantedCall): CallStep {
  return { component: to, function: called, by, depth: (by?.depth ?? 0) + 1 };
}

/**
 * Why `call` is not made: `call-unknown-component`, `call-not-allowed`, `call-cycle` (never of a request through a service binding) or
 * `call-too-deep`; null where it is.
 */
export function refusalOf(call: WantedCall, rules: CallRules): FulcrumError | null {
  const { from, to, by } = call;
  if (rules.isStatic?.(to) === true) return staticComponent(call);
  if (!isAmong(rules.components(), to)) return unknownComponent(call, [...rules.components()]);
  const allowed = rules.callsOf(from);
  if (allowed !== null && !allowed.includes(to)) return notAllowed(call, allowed);
  if (call.function !== null && occurs(call.function, to, by)) {
    return new FulcrumError(
      'call-cycle',
      `Component "${from}" calls ${nameOf(stepOf(call))}, which is part of the chain of calls already and waits for this one${of(call)}: ${chainText(stepOf(call))}.`,
    );
  }
  if ((by?.depth ?? 0) < MAX_CALL_DEPTH) return null;
  return new FulcrumError(
    'call-too-deep',
    `Component "${from}" calls ${nameOf(stepOf(call))} as call ${by!.depth + 1} of a chain, which may have ${MAX_CALL_DEPTH}${of(call)}: ${chainText(stepOf(call))}.`,
  );
}

/** What whoever called is told of a call that failed by no fault of the author's code: names callee and request. */
export function failureText(call: NamedCall, { code, message }: Failure): string {
  if (code === 'call-unknown-function') return notMadeText(call, message);
  const callee = calleeOf(call);
  return `${callee[0]!.toUpperCase()}${callee.slice(1)} failed when "${call.from}" called it${of(call)}: ${message}`;
}

/** The same of one that never came so far: it is its caller's to mend. */
export function notMadeText(call: NamedCall, message: string): string {
  return `Component "${call.from}" calls ${calleeOf(call)}${of(call)}: ${message}`;
}

function calleeOf({ to, function: called }: NamedCall): string {
  return called === null ? `component "${to}"` : `function "${short(called)}" of component "${to}"`;
}

/** What is said of a function that `exported` lacks. */
export function unknownFunctionText(called: string, exported: Iterable<string>): string {
  const names = [...exported].slice(0, MOST_NAMES);
  const told = `The component exports no function \`${short(called)}\`.`;
  if (called === 'fetch')
    return `${told} Handlers are not called by name; requests go through a service binding (\`env.NAME.fetch()\`).`;
  const near = nearest(called.slice(0, MOST_CHARACTERS), names);
  if (near !== null) return `${told} Did you mean \`${near}\`?`;
  if (names.length === 0) return `${told} It exports none.`;
  const more = names.length - NAMES_TOLD;
  const list = names.slice(0, NAMES_TOLD).map((name) => `\`${short(name)}\``);
  return `${told} There are: ${list.join(', ')}${more > 0 ? ', …' : ''}.`;
}

/** Whether the time of whoever calls is up: by its clock, or because it was told so. */
export function isOutOfTime({ deadlineMs, signal }: InvocationContext, nowMs: number): boolean {
  if (deadlineMs <= nowMs) return true;
  return signal.aborted && asFulcrumError(signal.reason, 'client-gone').code === 'timeout';
}

/** What a call fails with then, as `timeout`: it is not begun. */
export function outOfTimeText({ from }: Pick<WantedCall, 'from'>): string {
  return `the time of "${from}" itself was up already.`;
}

/** Makes no list of them: every call comes through here. */
function isAmong(names: Iterable<string>, wanted: string): boolean {
  for (const name of names) if (name === wanted) return true;
  return false;
}

function occurs(called: string, component: string, by: CallStep | null): boolean {
  for (let step = by; step !== null; step = step.by)
    if (step.function === called && step.component === component) return true;
  return false;
}

/** Of a chain as much is told: how it began, and how it came to its end. */
const FIRST_TOLD = 3;
const LAST_TOLD = 6;
/** A name comes from whoever calls, and may be of any length. */
const MOST_CHARACTERS = 80;
/** Of what a component exports, for a name that it lacks: those that are looked at, and those that are told. */
const MOST_NAMES = 100;
const NAMES_TOLD = 8;

/** `checkout.place → inventory.reserve → checkout.place`, the first call first. */
function chainText(last: CallStep): string {
  const names: string[] = [];
  for (let step: CallStep | null = last; step !== null; step = step.by) names.unshift(nameOf(step));
  const left = names.length - FIRST_TOLD - LAST_TOLD;
  const told =
    left <= 1 ? names : [...names.slice(0, FIRST_TOLD), `(${left} more)`, ...names.slice(-LAST_TOLD)];
  return told.join(' → ');
}

function nameOf({ component, function: called }: CallStep): string {
  return called === null ? `${short(component)} (HTTP)` : `${short(component)}.${short(called)}`;
}

function unknownComponent(call: WantedCall, known: readonly string[]): FulcrumError {
  const near = nearest(call.to.slice(0, MOST_CHARACTERS), known);
  const hint = near === null ? `There are: ${quoted(known)}.` : `Did you mean "${near}"?`;
  return new FulcrumError(
    'call-unknown-component',
    `Component "${call.from}" calls "${short(call.to)}", which does not exist${of(call)}. ${hint}`,
  );
}

function staticComponent(call: WantedCall): FulcrumError {
  const asks = call.function === null ? 'sends a request to' : 'calls';
  return new FulcrumError(
    'call-unknown-component',
    `Component "${call.from}" ${asks} "${call.to}"${of(call)}, which is a folder of files: the gateway serves it, and it cannot be called.`,
  );
}

function notAllowed(call: WantedCall, allowed: readonly string[]): FulcrumError {
  const may = allowed.length === 0 ? 'none' : `only ${quoted(allowed)}`;
  return new FulcrumError(
    'call-not-allowed',
    `Component "${call.from}" may not call "${call.to}"${of(call)}: its \`calls\` in fulcrum.config.ts allow ${may}.`,
  );
}

/** Nothing where no invocation calls: its request has no id yet. */
const of = ({ requestId }: Pick<NamedCall, 'requestId'>): string =>
  requestId === null ? '' : ` (request ${requestId})`;

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

function short(name: string): string {
  return name.length <= MOST_CHARACTERS ? name : `${name.slice(0, MOST_CHARACTERS)}…`;
}

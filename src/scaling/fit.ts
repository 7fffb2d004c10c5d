import { formatBytes } from '../base/bytes.ts';
import { FulcrumError } from '../base/errors.ts';
import type { AppSpec, Mode, UnitSpec } from '../model/app.ts';
import { unitsOf } from '../model/units.ts';
import { modeFor } from './mode-settings.ts';

/** A component, or a group, as a change brings it. */
export interface Newcomer {
  readonly component: string;
  readonly mode: Mode;
  /** What one instance may hold. */
  readonly bytes: number;
  /** Instances whose room is to be kept for it. */
  readonly minimum: number;
  /** One instance has to start before it serves, in function mode too. */
  readonly proves: boolean;
}

/** @param proves one instance has to start before it serves. */
export function newcomerOf(spec: UnitSpec, mode: Mode, proves: boolean): Newcomer {
  const isService = mode === 'service';
  return {
    component: spec.name,
    mode,
    bytes: isService ? spec.service.memoryBytes : spec.function.memoryBytes,
    minimum: isService ? spec.service.minReplicas : 0,
    proves,
  };
}

interface Machine {
  readonly memoryBytes: number;
  /** Kept for the minimum of the services that are there. */
  readonly minimumBytes: number;
}

const WHAT_TO_DO =
  'Lower `memory` or `replicas`, remove what is not needed, or give the server a larger --memory-budget (beyond 100% it promises more than the machine has).';

/** Throws `machine-full` where newcomers can never be held beside what is there. */
export function refuseUnfit({ memoryBytes, minimumBytes }: Machine, newcomers: readonly Newcomer[]): void {
  for (const { component, bytes } of newcomers) {
    if (bytes <= memoryBytes) continue;
    throw full(
      `One instance of component "${component}" may hold ${formatBytes(bytes)}, and the memory budget of this server is ${formatBytes(memoryBytes)}.`,
      { component, neededBytes: bytes, freeBytes: memoryBytes, budgetBytes: memoryBytes },
    );
  }
  const services = newcomers.filter(({ minimum }) => minimum > 0);
  const neededBytes = services.reduce((sum, { minimum, bytes }) => sum + minimum * bytes, 0);
  const freeBytes = memoryBytes - minimumBytes;
  if (neededBytes > freeBytes) {
    const each = services.map(
      ({ component, minimum, bytes }) => `${component} ${minimum} × ${formatBytes(bytes)}`,
    );
    const beside =
      minimumBytes === 0
        ? ''
        : ` beside the ${formatBytes(minimumBytes)} of services that are there, those that these are to replace among them`;
    throw full(
      `Services need ${formatBytes(neededBytes)} of memory (${each.join(', ')})${beside}, and the memory budget of this server is ${formatBytes(memoryBytes)}: ${formatBytes(freeBytes)} are free for them.`,
      { component: services[0]!.component, neededBytes, freeBytes, budgetBytes: memoryBytes },
    );
  }
  const elasticBytes = freeBytes - neededBytes;
  for (const { component, mode, bytes, proves } of newcomers) {
    if (mode === 'service' || !proves || bytes <= elasticBytes) continue;
    throw full(
      `One instance of component "${component}" may hold ${formatBytes(bytes)}, and services leave ${formatBytes(elasticBytes)} of this server's memory budget of ${formatBytes(memoryBytes)} to functions.`,
      { component, neededBytes: bytes, freeBytes: elasticBytes, budgetBytes: memoryBytes },
    );
  }
}

/** Of a start that has waited for room in vain. */
export function stayedFull(component: string, waitedMs: number): FulcrumError {
  return full(
    `No room for an instance of component "${component}" came within ${Math.round(waitedMs / 1_000)} s: what holds it is still at work.`,
    { component },
    30,
  );
}

function full(what: string, details: Readonly<Record<string, unknown>>, retryAfterS = 60): FulcrumError {
  return new FulcrumError('machine-full', `${what} ${WHAT_TO_DO}`, { details, retryAfterS });
}

type App = Pick<AppSpec, 'components' | 'groups'>;

/** Modes that hold, where they are other than the config's. */
type ModeOf = (component: string) => Mode | null;

/**
 * Components whose `max` is beyond what the budget can hold, those of one reason together, for people: `report: max 100 × 128 MB = 12.5 GB,
 * but 40 fit into this machine's budget of 5.6 GB beside the services`. * @param minimumBytes what is kept for the minimum of all services.
 */
export function unfit(
  app: App,
  { memoryBytes, minimumBytes }: Machine,
  modeOf: ModeOf = () => null,
): readonly Unfit[] {
  const elasticBytes = Math.max(0, memoryBytes - minimumBytes);
  const found: (Unfit & { readonly why: string })[] = [];
  for (const { name, bytes, minimum, most } of growing(app, modeOf)) {
    const room = minimum + Math.floor(elasticBytes / bytes);
    if (room >= most) continue;
    const fit = room === 0 ? 'none fits' : room === 1 ? '1 fits' : `${room} fit`;
    const why = `max ${most} × ${formatBytes(bytes)} = ${formatBytes(most * bytes)}, but ${fit} into this machine's budget of ${formatBytes(memoryBytes)} beside the services`;
    found.push({ text: name, why, never: room === 0 });
  }
  return [...Map.groupBy(found, ({ why }) => why)].map(([why, those]) => ({
    text: `${those.map(({ text }) => text).join(', ')}: ${why}`,
    never: those[0]!.never,
  }));
}

/**
 * Where there is no room for the services of another release beside those of this one: it could be deployed once, and never again. Nothing
 * where even these do not fit.
 */
export function noSuccessor(
  app: App,
  { memoryBytes, minimumBytes }: Machine,
  modeOf: ModeOf = () => null,
): readonly Unfit[] {
  const services = growing(app, modeOf).filter(({ minimum }) => minimum > 0);
  const needed = minimumOf(app, modeOf);
  if (needed === 0 || minimumBytes > memoryBytes || needed + minimumBytes <= memoryBytes) return [];
  const who = services.map(({ name }) => name).join(', ');
  const free = formatBytes(memoryBytes - minimumBytes);
  const why = `the next release needs ${formatBytes(needed)} for these services beside what serves, and this machine's budget of ${formatBytes(memoryBytes)} leaves ${free}: it will be refused`;
  return [{ text: `${who}: ${why}`, never: true }];
}

export interface Unfit {
  readonly text: string;
  /** What is needed can never be there: not one instance, or not the next release. */
  readonly never: boolean;
}

/** What is to be kept for the minimum of an app's services. */
export function minimumOf(app: App, modeOf: ModeOf = () => null): number {
  return growing(app, modeOf).reduce((sum, { minimum, bytes }) => sum + minimum * bytes, 0);
}

interface Growing {
  readonly name: string;
  readonly bytes: number;
  readonly minimum: number;
  readonly most: number;
}

function growing(app: App, modeOf: ModeOf): Growing[] {
  return unitsOf(app).map((spec) => {
    const { name, service, function: fn } = spec;
    return (modeOf(name) ?? modeFor(spec.modeSetting)) === 'service'
      ? { name, bytes: service.memoryBytes, minimum: service.minReplicas, most: service.maxReplicas }
      : { name, bytes: fn.memoryBytes, minimum: 0, most: fn.maxInstances };
  });
}

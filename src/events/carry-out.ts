import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { requestId } from '../base/ids.ts';
import type { RunnableSpec } from '../model/app.ts';
import type { Delivery } from '../model/event-store.ts';
import type {
  Invocation,
  InvocationContext,
  InvocationEnd,
  MessageSaid,
  Payload,
  ThrownError,
  Trigger,
} from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import { scheduleText } from '../model/work-settings.ts';
import { readAttributes, traceOf, type WorkAttributes } from './attributes.ts';
import { GatheredAnswer } from './gathered-answer.ts';
import { KeptBody } from './kept-body.ts';
import { queueBatch } from './queue-batch.ts';
import type { HttpDelivery, MessageOutcome, Serving } from './serving.ts';

export interface CarryOptions {
  readonly serving: Serving;
  readonly spec: RunnableSpec;
  readonly clock: Clock;
  /** Null: events cannot be sent to commands here. */
  readonly http: HttpDelivery | null;
  readonly newTraceparent: () => string;
  /** Told what the handler says of a message while it is at it. */
  readonly onSaid: (said: MessageSaid) => void;
}

/** How the invocation for a batch ended. */
export interface CarriedOut {
  /** Whether an instance was given it. */
  readonly begun: boolean;
  readonly end: InvocationEnd;
  readonly thrown: ThrownError | null;
  readonly value: Payload | null;
  /** Of a command that was sent events, as they were given; null of all else. */
  readonly outcomes: readonly MessageOutcome[] | null;
  /** Of a request. */
  readonly answer: GatheredAnswer | null;
  /** Epoch. */
  readonly beganAtMs: number;
  readonly tookMs: number;
}

type Extra = Partial<Pick<CarriedOut, 'thrown' | 'value' | 'outcomes' | 'answer'>>;
type End = InvocationEnd & Extra;

/** Has the component work on what was leased: several events of one batch, or one piece of any other work. Never rejects. */
export async function carryOut(deliveries: readonly Delivery[], o: CarryOptions): Promise<CarriedOut> {
  const { serving, spec, clock } = o;
  const [first] = deliveries;
  const attributes = deliveries.length === 1 ? attributesOf(first!) : null;
  const beganAtMs = clock.nowMs();
  const beganMs = clock.monotonicMs();
  let begun = false;
  const seed = {
    requestId: attributes?.requestId ?? requestId(),
    traceparent: (attributes === null ? null : traceOf(attributes)) ?? o.newTraceparent(),
    trigger: triggerOf(first!),
    signal: null,
    deadlineMs: null,
    client: null,
    affinityKey: null,
  };
  const end: End = await serving.dispatcher.run<End>(spec.name, seed, (slot, context, control) => {
    begun = true;
    if (first!.kind === 'request')
      return exchange(first!, attributes!, slot, context, (status) => control.status(status));
    if (first!.kind === 'event' && spec.subscription?.http) return sent(deliveries, o, slot, context);
    return slot.instance.invoke(invocationOf(deliveries, attributes, o), context);
  });
  const { thrown = null, value = null, outcomes = null, answer = null } = end;
  const tookMs = clock.monotonicMs() - beganMs;
  return { begun, end, thrown, value, outcomes, answer, beganAtMs, tookMs };
}

function invocationOf(
  deliveries: readonly Delivery[],
  attributes: WorkAttributes | null,
  { spec, onSaid, clock }: CarryOptions,
): Invocation {
  const first = deliveries[0]!;
  if (first.kind === 'event') return { kind: 'queue', batch: queueBatch(deliveries), onSaid };
  if (first.kind === 'schedule') return { kind: 'scheduled', event: json(tickOf(first, spec)) };
  if (first.type.startsWith('call:'))
    return {
      kind: 'call',
      function: first.type.slice('call:'.length),
      args: { encoding: 'json', bytes: first.data },
    };
  const [schedule] = spec.kind === 'module' ? spec.schedules : [];
  const cron = attributes?.scheduled?.cron ?? (schedule === undefined ? '' : scheduleText(schedule.when));
  const scheduledTime = attributes?.scheduled?.atMs ?? clock.nowMs();
  return {
    kind: 'scheduled',
    event: json({ cron, name: schedule?.name ?? '', attempt: first.attempt, scheduledTime }),
  };
}

function tickOf({ type, attempt, timeMs }: Delivery, spec: RunnableSpec): object {
  const schedule = spec.kind === 'module' ? spec.schedules.find(({ name }) => name === type) : undefined;
  const cron = schedule === undefined ? '' : scheduleText(schedule.when);
  return { cron, name: type, attempt, scheduledTime: timeMs };
}

async function sent(
  deliveries: readonly Delivery[],
  { http, spec }: CarryOptions,
  slot: Slot,
  context: InvocationContext,
): Promise<End> {
  if (http !== null) return await http.deliver(deliveries, spec.subscription!, slot, context);
  const error = new FulcrumError('internal', 'Events cannot be sent to commands here.');
  return { outcome: 'refused', error, cpuMs: 0 };
}

/** Carries an HTTP request that was kept through the instance. */
function exchange(
  { data }: Delivery,
  { request }: WorkAttributes,
  slot: Slot,
  context: InvocationContext,
  begun: (status: number) => void,
): Promise<End> {
  const answer = new GatheredAnswer(begun);
  if (request === null)
    return Promise.resolve({
      outcome: 'refused',
      error: new FulcrumError('internal', 'Of a request that was kept its head is missing.'),
      cpuMs: 0,
    });
  const { method, url, target, fields } = request;
  const headers = [
    ...without(fields, ['x-request-id', 'traceparent']),
    'X-Request-Id',
    context.requestId,
    'traceparent',
    context.traceparent,
  ];
  return new Promise((resolve) => {
    slot.instance.http({
      context,
      head: { method, url, target, headers },
      body: data.length === 0 ? null : new KeptBody(data),
      response: answer,
      ended: (end) => resolve({ ...end, answer }),
    });
  });
}

function attributesOf({ attributes }: Delivery): WorkAttributes {
  return readAttributes(attributes);
}

function triggerOf({ kind }: Delivery): Trigger {
  if (kind === 'event' || kind === 'schedule') return kind;
  return kind === 'request' ? 'route' : 'manual';
}

function without(fields: readonly string[], names: readonly string[]): string[] {
  const left: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2)
    if (!names.includes(fields[i]!.toLowerCase())) left.push(fields[i]!, fields[i + 1]!);
  return left;
}

function json(value: unknown): Payload {
  return { encoding: 'json', bytes: Buffer.from(JSON.stringify(value)) };
}

import { hash } from 'node:crypto';
import { formatBytes } from '../base/bytes.ts';
import { FulcrumError } from '../base/errors.ts';
import { keptId, timedText } from '../base/ids.ts';
import type { LaterOrder } from '../model/app-events.ts';
import { MAX_EVENT_BYTES, takesType, type EventOrder } from '../model/event.ts';
import type { NewWork } from '../model/event-store.ts';
import type { ComponentSpec, RunnableSpec } from '../model/app.ts';
import type { EventSettings } from '../model/work-settings.ts';
import { writeAttributes } from './attributes.ts';
import { DEAD_KEPT_MS } from './retry.ts';

/** Behind this stand dedupe keys of the platform's own: no author's can have it. */
const OWN = '\u0001';

export interface EventWorkOptions {
  readonly app: string;
  readonly components: ReadonlyMap<string, ComponentSpec>;
  readonly settings: EventSettings;
  readonly nowMs: number;
  /** Which of the components take it at once. */
  readonly leaseFor: (component: string) => boolean;
}

/** Components that take events of this type, by what serves. */
export function takersOf(components: ReadonlyMap<string, ComponentSpec>, type: string): string[] {
  const takers: string[] = [];
  for (const spec of components.values())
    if (spec.kind !== 'static' && spec.subscription !== null && takesType(spec.subscription.types, type))
      takers.push(spec.name);
  return takers;
}

/**
 * A published event as it is kept. The order has been checked. Throws `event-unmatched`.
 * @param from the component that publishes; null: somebody from outside.
 */
export function eventWork(order: EventOrder, from: string | null, o: EventWorkOptions): NewWork {
  const { type, key, delayMs, subject, contentType, data, extensions } = order;
  const components = takersOf(o.components, type);
  if (components.length === 0 && o.settings.unmatched === 'refuse')
    throw new FulcrumError(
      'event-unmatched',
      `No component takes events of the type '${type}', and this app keeps none such (events.unmatched).`,
    );
  const source = order.source ?? (from === null ? '/' : `/components/${from}`);
  const dedupe = order.dedupe ?? (order.id === null ? null : givenDedupe(source, order.id));
  const publishedAtMs = o.nowMs;
  return {
    app: o.app,
    components,
    id: `e_${timedText(o.nowMs, 17)}`,
    isIdFresh: true,
    kind: 'event',
    type,
    source,
    subject,
    key,
    timeMs: order.timeMs ?? publishedAtMs,
    contentType,
    attributes: writeAttributes({ extensions, givenId: order.id }),
    data,
    publishedAtMs,
    dueAtMs: publishedAtMs + Math.round(delayMs),
    forgetAtMs: publishedAtMs + DEAD_KEPT_MS,
    dedupe: dedupe === null ? null : { key: dedupe, untilMs: publishedAtMs + o.settings.dedupeMs },
    answerUntilMs: null,
    leaseFor: delayMs > 0 ? [] : components.filter((component) => o.leaseFor(component)),
  };
}

/** Two events of one source with one id are the same (CloudEvents 1.0, "id"): whoever sends it again does so because it saw no answer. */
function givenDedupe(source: string, id: string): string {
  return `${OWN}${hash('sha256', `${source}\0${id}`, 'base64url')}`;
}

/** An asynchronous invocation as it is kept. Throws `call-too-large`. */
export function laterWork(
  app: string,
  spec: RunnableSpec,
  { work, requestId, id }: LaterOrder,
  nowMs: number,
  leases: boolean,
): NewWork {
  const data = work.kind === 'call' ? work.args : work.kind === 'request' ? work.body : new Uint8Array();
  if (data.length > MAX_EVENT_BYTES)
    throw new FulcrumError(
      'call-too-large',
      `What is invoked asynchronously may have ${formatBytes(MAX_EVENT_BYTES)} of ${work.kind === 'call' ? 'arguments' : 'body'}; this has ${formatBytes(data.length)}.`,
    );
  const { retry, keepMs } = spec.async;
  return {
    app,
    components: [spec.name],
    id: id ?? keptId(nowMs),
    kind: work.kind === 'request' ? 'request' : 'call',
    type: typeOf(work),
    source: '/',
    subject: null,
    key: null,
    timeMs: nowMs,
    contentType: work.kind === 'request' ? contentTypeOf(work.fields) : 'application/json',
    attributes: writeAttributes({
      requestId,
      request: work.kind === 'request' ? kept(work) : null,
      scheduled: work.kind === 'scheduled' ? { cron: work.cron, atMs: work.atMs } : null,
    }),
    data,
    publishedAtMs: nowMs,
    dueAtMs: nowMs,
    forgetAtMs: nowMs + DEAD_KEPT_MS,
    dedupe: null,
    // From its end on, at the latest.
    answerUntilMs: nowMs + keepMs + retry.attempts * retry.longestMs,
    leaseFor: leases ? [spec.name] : [],
  };
}

/** How it ended, for the event of `onSuccess` and `onFailure`. */
export interface LaterEnd {
  readonly id: string;
  readonly component: string;
  readonly type: string;
  readonly outcome: string;
  readonly status: number;
  /** JSON text; null: there is none, or it is too much for an event. */
  readonly result: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Null: it belongs to none. */
  readonly traceparent: string | null;
}

/** The event that tells of an asynchronous invocation's end: once, however often its settlement is tried. */
export function endWork(type: string, end: LaterEnd, o: Omit<EventWorkOptions, 'leaseFor'>): NewWork {
  const { result, traceparent, ...told } = end;
  const head = JSON.stringify(told).slice(0, -1);
  const order: EventOrder = {
    type,
    data: Buffer.from(`${head},"result":${result ?? 'null'}}`),
    contentType: 'application/json',
    key: null,
    delayMs: 0,
    dedupe: `${OWN}end:${end.id}`,
    id: null,
    source: null,
    subject: end.id,
    timeMs: null,
    extensions: traceparent === null ? {} : { traceparent },
  };
  return eventWork(order, end.component, {
    ...o,
    settings: { ...o.settings, unmatched: 'keep' },
    leaseFor: () => false,
  });
}

function typeOf(work: LaterOrder['work']): string {
  if (work.kind === 'call') return `call:${work.function}`;
  return work.kind === 'scheduled' ? 'scheduled' : `${work.method} ${work.target}`;
}

function kept({ method, url, target, fields }: Extract<LaterOrder['work'], { kind: 'request' }>): {
  method: string;
  url: string;
  target: string;
  fields: readonly string[];
} {
  return { method, url, target, fields };
}

function contentTypeOf(fields: readonly string[]): string {
  for (let i = 0; i + 1 < fields.length; i += 2)
    if (fields[i]!.toLowerCase() === 'content-type') return fields[i + 1]!;
  return 'application/octet-stream';
}

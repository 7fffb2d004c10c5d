import * as z from 'zod';
import type { Attempt, WorkKind } from '../model/event.ts';
import type { BacklogStatus, ScheduleStatus } from '../model/status.ts';
import { content } from './content.ts';
import { WORK_STATES } from './work-states.ts';

/** What the admin API answers with about kept work, as `schemas.ts` has the rest. No payload is in any of it but where its name says so. */
const count = z.int().min(0);
const epochMs = z.int().min(0).describe('Milliseconds since 1970');
const list = <S extends z.ZodType>(item: S) => z.array(item).readonly();

const state = z.enum(WORK_STATES);
const kind = z.enum(['event', 'schedule', 'call', 'request'] satisfies WorkKind[]);
// Not every code is of this version's: what was kept by another is told all the same.
const attemptError = z.strictObject({ code: z.string(), message: z.string() });

const attempt = z
  .strictObject({ number: count, beganAtMs: epochMs, tookMs: z.number().min(0), error: attemptError })
  .meta({ id: 'Attempt' }) satisfies z.ZodType<Attempt>;

const event = z
  .strictObject({
    id: z.string().describe('Of the event: the same for each component that it is for'),
    component: z.string().nullable().describe('Null: no component takes its type'),
    kind,
    type: z.string().describe('Of a schedule its name; of a call `call:NAME`; of a request `METHOD target`'),
    source: z.string(),
    subject: z.string().nullable(),
    key: z.string().nullable(),
    timeMs: epochMs.describe('When what it tells of has happened'),
    contentType: z.string(),
    dataBytes: count,
    publishedAtMs: epochMs,
    state,
    dueAtMs: epochMs.describe(
      'Of `delayed` and `ready`: when it may be delivered. Of `dead` and `unmatched`: when it is forgotten',
    ),
    attempt: count.describe('Deliveries that were begun'),
    lastError: attemptError.nullable(),
  })
  .meta({ id: 'Event' });

/** One piece of kept work, without its data. */
export type EventSummary = z.output<typeof event>;

export const eventsAnswer = z
  .strictObject({
    events: list(event),
    next: z.string().nullable().describe('`before` of the next page; null: this is the last'),
  })
  .meta({ id: 'EventPage' });

export type EventPage = z.output<typeof eventsAnswer>;

const eventDetails = z
  .strictObject({
    ...event.shape,
    attempts: list(attempt).describe('The latest that did not go well, the oldest first'),
  })
  .meta({ id: 'EventWithAttempts' });

export type EventDetails = z.output<typeof eventDetails>;

export const eventAnswer = list(eventDetails).describe('One for each component that it is kept for');

export const payloadAnswer = z
  .strictObject({
    id: z.string(),
    data: content,
    attributes: z
      .record(z.string(), z.unknown())
      .describe('CloudEvents extension attributes, and what else its kind of work needs'),
  })
  .meta({ id: 'EventPayload' });

export type EventPayload = z.output<typeof payloadAnswer>;

export const publishedAnswer = z
  .strictObject({
    published: list(
      z.strictObject({
        id: z.string(),
        duplicate: z.boolean().describe('`dedupe` has kept it from being published again: `id` is the first'),
      }),
    ),
  })
  .meta({ id: 'PublishedEvents' });

export type PublishedEvents = z.output<typeof publishedAnswer>;

export const changedAnswer = z
  .strictObject({
    count: count.describe(
      'How many pieces of work; with `dryRun` how many it would be: there counting stops at 10,000 of a state',
    ),
    dryRun: z.boolean(),
  })
  .meta({ id: 'EventsChanged' });

export type EventsChanged = z.output<typeof changedAnswer>;

export const laterAnswer = z
  .strictObject({
    id: z.string().describe('What its result is asked for by'),
    requestId: z.string().describe('Stands in the logs of each of its attempts'),
  })
  .meta({ id: 'InvocationKept' });

export type InvocationKept = z.output<typeof laterAnswer>;

export const invocationAnswer = z
  .strictObject({
    id: z.string(),
    component: z.string(),
    kind,
    type: z.string(),
    state: z.enum(['waiting', 'done', 'failed']),
    createdAtMs: epochMs,
    endedAtMs: epochMs.nullable().describe('Null while it waits'),
    forgetAtMs: epochMs,
    result: z
      .strictObject({
        outcome: z.string(),
        status: count.nullable().describe('Of an HTTP request, the answer’s'),
        fields: list(z.string()).nullable().describe('Of an HTTP request, the answer’s: name, value, …'),
        value: content,
        error: attemptError.nullable(),
      })
      .nullable()
      .describe('Null while it waits'),
  })
  .meta({ id: 'KeptInvocation' });

export type KeptInvocation = z.output<typeof invocationAnswer>;

export const scheduleStatus = z
  .strictObject({
    name: z.string(),
    text: z.string(),
    lastAtMs: z.number().nullable(),
    lastState: z.enum(['running', 'ok', 'failed', 'skipped']).nullable(),
    lastMessage: z.string().nullable(),
    nextAtMs: z.number().nullable(),
  })
  .meta({ id: 'Schedule' }) satisfies z.ZodType<ScheduleStatus>;

export const backlogStatus = z
  .strictObject({
    waiting: count,
    oldestDueAtMs: z.number().nullable(),
    underWay: count,
    later: count,
    dead: count,
  })
  .meta({ id: 'Backlog' }) satisfies z.ZodType<BacklogStatus>;

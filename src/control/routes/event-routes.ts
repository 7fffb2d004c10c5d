import { FulcrumError } from '../../base/errors.ts';
import { idOfKey } from '../../base/ids.ts';
import type { AppEvents } from '../../model/app-events.ts';
import type { Published } from '../../model/event.ts';
import type { WorkRecord } from '../../model/event-store.ts';
import { contentOf } from '../content.ts';
import { countOf, planOf, type EventPlan } from '../event-actions.ts';
import {
  changeInput,
  cursorOf,
  eventParams,
  filterOf,
  listInput,
  orderOf,
  placeOf,
  publishInput,
  redriveInput,
} from '../event-input.ts';
import {
  changedAnswer,
  eventAnswer,
  eventsAnswer,
  payloadAnswer,
  publishedAnswer,
  type EventDetails,
  type EventSummary,
  type EventsChanged,
} from '../event-schemas.ts';
import type { ControlPort } from '../port.ts';
import { eventBody, json, jsonBody, route, type EventInput, type Route } from '../route.ts';
import { component, running, shownType, type ApiParts } from './parts.ts';

/** An event's data has 1 MB at most, a third more as base64; a batch of CloudEvents as much together. */
const MAX_PUBLISHED_BYTES = 4 * 1024 ** 2;
/** In a list; `getEvent` has them whole. */
const MAX_ERROR_LENGTH = 500;

/** What is kept of an app to be done: its events, ticks of schedules, and asynchronous invocations. */
export function eventRoutes({ host }: ApiParts): Route[] {
  return [
    route({
      id: 'listEvents',
      method: 'GET',
      path: '/apps/{app}/events',
      scope: 'read',
      reach: 'app',
      summary: 'What is kept to be done and not done yet, given up included; newest first, without payloads',
      query: listInput,
      answer: json(eventsAnswer),
      audit: null,
      async handle({ app, query }) {
        const { before, limit, ...filter } = query;
        const place = before === undefined ? null : placeOf(before);
        const found = await running(host, app).events.list(filterOf(filter), place, limit + 1);
        const page = found.slice(0, limit);
        return {
          events: page.map(summaryOf),
          next: found.length > limit ? cursorOf(page.at(-1)!) : null,
        };
      },
    }),
    route({
      id: 'getEvent',
      method: 'GET',
      path: '/apps/{app}/events/{id}',
      scope: 'read',
      reach: 'app',
      summary: 'One event: for each component its state, and every attempt; without its payload',
      params: eventParams,
      answer: json(eventAnswer),
      audit: null,
      handle: async ({ app, params }) => (await kept(running(host, app).events, params.id)).map(detailsOf),
    }),
    route({
      id: 'getEventPayload',
      method: 'GET',
      path: '/apps/{app}/events/{id}/payload',
      // Customers' data, which nobody needs to see who deploys or watches.
      scope: 'admin',
      reach: 'app',
      summary: 'What an event carries',
      params: eventParams,
      answer: json(payloadAnswer),
      audit: null,
      async handle({ app, params }) {
        const [first] = await kept(running(host, app).events, params.id);
        return {
          id: first.id,
          data: contentOf(first.contentType, first.data),
          attributes: JSON.parse(first.attributes) as Record<string, unknown>,
        };
      },
    }),
    route({
      id: 'publishEvents',
      method: 'POST',
      path: '/apps/{app}/events',
      scope: 'deploy',
      reach: 'app',
      summary: 'Publishes an event, or CloudEvents; answers once they are kept',
      body: eventBody(publishInput, MAX_PUBLISHED_BYTES),
      answer: json(publishedAnswer, 202),
      audit: {
        action: 'events.publish',
        details: ({ body }, answer) => ({
          ...(body.kind === 'json' ? { type: body.value.type } : { cloudEvents: true }),
          ...(answer === null ? {} : { ids: answer.published.map(({ id }) => id) }),
        }),
      },
      async handle({ app, body }) {
        const published = await publish(running(host, app), body);
        return { published: published.map(({ id, duplicate }) => ({ id, duplicate })) };
      },
    }),
    route({
      id: 'retryEvents',
      method: 'POST',
      path: '/apps/{app}/events/retry',
      scope: 'deploy',
      reach: 'app',
      summary:
        'Has what was given up delivered again now, with its attempts counted anew; by `state` or `ids` also what waits for its next attempt',
      body: jsonBody(changeInput),
      answer: json(changedAnswer),
      audit: {
        action: 'events.retry',
        looked: ({ body }) => body.dryRun,
        details: ({ body }, answer) => written(body, answer),
      },
      async handle({ app, body }) {
        const port = running(host, app);
        const plan = planOf('retry', filterOf(body), await componentsOf(port));
        return changed(port, plan, body.dryRun, ({ filter }) => port.events.retry(filter));
      },
    }),
    route({
      id: 'dropEvents',
      method: 'POST',
      path: '/apps/{app}/events/drop',
      // What was accepted is gone then, and no deploy or retry brings it back.
      scope: 'admin',
      reach: 'app',
      summary: 'Forgets kept work for good, but what is being worked on',
      body: jsonBody(changeInput),
      answer: json(changedAnswer),
      audit: {
        action: 'events.drop',
        looked: ({ body }) => body.dryRun,
        details: ({ body }, answer) => written(body, answer),
      },
      async handle({ app, body }) {
        const port = running(host, app);
        const plan = planOf('drop', filterOf(body), await componentsOf(port));
        return changed(port, plan, body.dryRun, ({ filter }) => port.events.drop(filter));
      },
    }),
    route({
      id: 'redriveEvents',
      method: 'POST',
      path: '/apps/{app}/events/redrive',
      // To a component of the same app, whose code whoever deploys has written: it lets nobody see or do what a deploy does not.
      scope: 'deploy',
      reach: 'app',
      summary:
        'Gives what was given up, what no component takes, and what is left of a component that is no more, to another component',
      body: jsonBody(redriveInput),
      answer: json(changedAnswer),
      audit: {
        action: 'events.redrive',
        looked: ({ body }) => body.dryRun,
        details: ({ body }, answer) => ({ to: body.to, ...written(body, answer) }),
      },
      async handle({ app, body }) {
        const port = running(host, app);
        const { name, events } = await component(port, body.to);
        // Said before it is counted, so that what a dry run says would hold.
        if (events.length === 0) {
          throw new FulcrumError(
            'bad-request',
            `'${name}' takes no events: nothing of its \`events\` is in the config.`,
          );
        }
        const plan = planOf('redrive', filterOf(body), await componentsOf(port));
        return changed(port, plan, body.dryRun, ({ filter }) => port.events.redrive(filter, name));
      },
    }),
  ];
}

async function kept(events: AppEvents, id: string) {
  const [first, ...more] = await events.get(idOfKey(id) ?? id);
  if (first !== undefined) return [first, ...more] as const;
  throw new FulcrumError(
    'not-found',
    `There is no event '${id}' here: it is done with, was forgotten, or never was.`,
  );
}

async function publish(
  port: ControlPort,
  body: EventInput<Parameters<typeof orderOf>[0]>,
): Promise<readonly Published[]> {
  if (body.kind === 'json') return port.events.publish(null, [orderOf(body.value)]);
  if (port.publishCloudEvents !== undefined) return port.publishCloudEvents(body.request);
  throw new FulcrumError(
    'bad-request',
    'No CloudEvents are taken here: send `{"type", "data"}` as JSON, with `Content-Type: application/json`.',
  );
}

async function componentsOf(port: ControlPort): Promise<readonly string[]> {
  return (await port.components()).map(({ name }) => name);
}

async function changed(
  { events }: ControlPort,
  plan: EventPlan,
  dryRun: boolean,
  change: (plan: EventPlan) => Promise<number>,
): Promise<EventsChanged> {
  return { count: dryRun ? await countOf(events, plan) : await change(plan), dryRun };
}

/** For the log of changes: what was meant, and how many that were. */
function written(
  body: Parameters<typeof filterOf>[0] & { readonly all?: true | undefined },
  answer: EventsChanged | null,
): Readonly<Record<string, unknown>> {
  return {
    ...filterOf(body),
    ...(body.all === true ? { all: true } : {}),
    ...(answer === null ? {} : { count: answer.count }),
  };
}

function summaryOf(record: WorkRecord): EventSummary {
  const last = record.attempts.at(-1)?.error ?? null;
  const { id, kind, source, subject, key, timeMs, contentType, dataBytes, publishedAtMs } = record;
  return {
    ...{
      id,
      kind,
      type: shownType(record),
      source,
      subject,
      key,
      timeMs,
      contentType,
      dataBytes,
      publishedAtMs,
    },
    component: record.component === '' ? null : record.component,
    state: record.state,
    dueAtMs: record.dueAtMs,
    attempt: record.attempt,
    lastError: last === null ? null : { code: last.code, message: last.message.slice(0, MAX_ERROR_LENGTH) },
  };
}

function detailsOf(record: WorkRecord): EventDetails {
  return { ...summaryOf(record), attempts: record.attempts };
}

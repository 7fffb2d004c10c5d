import { FulcrumError } from '../../base/errors.ts';
import { idOfKey, requestId } from '../../base/ids.ts';
import type { LaterWork } from '../../model/app-events.ts';
import type { KeptAnswer } from '../../model/event-store.ts';
import { contentOf } from '../content.ts';
import { eventParams, invokeQuery } from '../event-input.ts';
import { invocationAnswer, laterAnswer, type KeptInvocation } from '../event-schemas.ts';
import { componentParams, invokeInput } from '../input.ts';
import type { ManualInvocation } from '../port.ts';
import { invokeAnswer } from '../schemas.ts';
import { json, jsonBody, jsonOrLater, Later, route, type Route } from '../route.ts';
import { component, need, running, shownType, type ApiParts } from './parts.ts';

/** Invocations by hand: at once, or kept and done later. */
export function invocationRoutes({ host }: ApiParts): Route[] {
  return [
    route({
      id: 'invoke',
      method: 'POST',
      path: '/apps/{app}/components/{component}/invoke',
      scope: 'deploy',
      reach: 'app',
      summary:
        'Runs one invocation by hand: a named function, its schedule, or its event handler; with `?async` later',
      params: componentParams,
      query: invokeQuery,
      body: jsonBody(invokeInput),
      answer: jsonOrLater(invokeAnswer, laterAnswer),
      audit: {
        action: 'invoke',
        // What is passed may be anybody's data; only what was run is told.
        details: ({ params, body }, answer) => ({
          component: params.component,
          kind: body.kind,
          ...(body.kind === 'call' ? { function: body.function } : {}),
          ...(answer instanceof Later ? { id: answer.value.id } : {}),
        }),
      },
      async handle({ app, params, query, body, signal }) {
        const port = running(host, app);
        const { name, kind } = await component(port, params.component);
        if (query.async === 'false') return port.invoke(name, body, signal);
        if (kind === 'static') {
          throw new FulcrumError('bad-request', `'${name}' serves static files: it cannot be invoked.`);
        }
        const id = requestId();
        const kept = await port.events.later({ component: name, work: laterWork(body), requestId: id });
        return new Later({ id: kept.id, requestId: id });
      },
    }),
    route({
      id: 'getInvocation',
      method: 'GET',
      path: '/apps/{app}/invocations/{id}',
      // As whoever invokes it at once is told what it returned.
      scope: 'deploy',
      reach: 'app',
      summary: 'What became of an invocation that was kept: whether it waits, or how it ended and with what',
      params: eventParams,
      answer: json(invocationAnswer),
      audit: null,
      handle: async ({ app, params }) =>
        told(
          need(
            // A client shows what it was given, which is its key.
            await running(host, app).events.answer(idOfKey(params.id) ?? params.id),
            `There is no invocation '${params.id}' here that was asked for with \`async\`, or its result has been forgotten.`,
          ),
        ),
    }),
  ];
}

/** Throws `bad-request` for an event, which is kept as one. */
function laterWork(request: ManualInvocation): LaterWork {
  switch (request.kind) {
    case 'call':
      return {
        kind: 'call',
        function: request.function,
        args: Buffer.from(JSON.stringify(request.args)),
      };
    case 'scheduled':
      return { kind: 'scheduled', cron: request.cron ?? null, atMs: request.atMs ?? null };
    case 'queue':
      throw new FulcrumError(
        'bad-request',
        'A handler of events is not invoked with `async`: publish the event (`POST …/events`), and it is kept.',
      );
  }
}

function told({ answer, ...kept }: KeptAnswer): KeptInvocation {
  const { id, component: of, kind, state, createdAtMs, endedAtMs, forgetAtMs } = kept;
  return {
    ...{ id, component: of, kind, type: shownType(kept), state, createdAtMs, endedAtMs, forgetAtMs },
    result:
      answer === null
        ? null
        : {
            outcome: answer.outcome,
            status: kind === 'request' ? answer.status : null,
            fields: answer.fields === null ? null : (JSON.parse(answer.fields) as string[]),
            value: contentOf(answer.contentType, answer.data),
            error: answer.error === null ? null : { code: answer.error.code, message: answer.error.message },
          },
  };
}

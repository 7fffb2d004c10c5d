import { FulcrumError } from '../../base/errors.ts';
import { componentParams, limitsInput, limitsOf, logsInput, modeCheckInput, modeInput } from '../input.ts';
import {
  componentAnswer,
  componentsAnswer,
  groupsAnswer,
  limitsAnswer,
  modeAnswer,
  modeCheckAnswer,
} from '../component-schemas.ts';
import { logLine, logsAnswer } from '../schemas.ts';
import type { LogQuery } from '../log-book.ts';
import { logStream } from '../log-stream.ts';
import { json, jsonBody, lines, route, type Route } from '../route.ts';
import { component, logsOf, running, unit, type ApiParts } from './parts.ts';

const MAX_FOLLOWERS = 256;
const MAX_FOLLOWERS_OF_CALLER = 32;

export function componentRoutes({ host, clock, closing }: ApiParts): Route[] {
  /** How many logs are followed by whom. */
  const following = new Map<string, number>();
  return [
    route({
      id: 'listComponents',
      method: 'GET',
      path: '/apps/{app}/components',
      scope: 'read',
      reach: 'app',
      summary: 'Its components: mode, instances, the last minute’s traffic',
      answer: json(componentsAnswer),
      audit: null,
      handle: ({ app }) => running(host, app).components(),
    }),
    route({
      id: 'getComponent',
      method: 'GET',
      path: '/apps/{app}/components/{component}',
      scope: 'read',
      reach: 'app',
      summary: 'One component',
      params: componentParams,
      answer: json(componentAnswer),
      audit: null,
      handle: ({ app, params }) => component(running(host, app), params.component),
    }),
    route({
      id: 'listGroups',
      method: 'GET',
      path: '/apps/{app}/groups',
      scope: 'read',
      reach: 'app',
      summary: 'Its groups, whose members share their instances: mode, instances, and who they are',
      answer: json(groupsAnswer),
      audit: null,
      handle: ({ app }) => running(host, app).groups(),
    }),
    route({
      id: 'setMode',
      method: 'POST',
      path: '/apps/{app}/components/{component}/mode',
      scope: 'deploy',
      reach: 'app',
      summary:
        'Switches a component, or a group by its name, to function, service or auto; answers when new work goes to the new mode only. A member has its group’s mode',
      params: componentParams,
      body: jsonBody(modeInput),
      answer: json(modeAnswer),
      audit: {
        action: 'mode.set',
        details: ({ params, body }) => ({
          component: params.component,
          mode: body.mode,
          ...(body.force ? { force: true } : {}),
        }),
      },
      async handle({ app, params, body, caller: { actor } }) {
        const port = running(host, app);
        const name = await unit(port, params.component);
        return port.setMode(name, body.mode, { force: body.force, by: actor });
      },
    }),
    route({
      id: 'checkMode',
      method: 'GET',
      path: '/apps/{app}/components/{component}/mode-check',
      scope: 'read',
      reach: 'app',
      summary:
        'What a switch to that mode would break in its code, of a group in any member’s; switches nothing',
      params: componentParams,
      query: modeCheckInput,
      answer: json(modeCheckAnswer),
      audit: null,
      async handle({ app, params, query }) {
        const port = running(host, app);
        return port.checkMode(await unit(port, params.component), query.mode);
      },
    }),
    route({
      id: 'getLimits',
      method: 'GET',
      path: '/apps/{app}/components/{component}/limits',
      scope: 'read',
      reach: 'app',
      summary:
        'What may be asked of it: what the config says, what was set by hand, and how many were refused in the last minute',
      params: componentParams,
      answer: json(limitsAnswer),
      audit: null,
      handle: ({ app, params }) => Promise.resolve(running(host, app).limits(params.component)),
    }),
    route({
      id: 'setLimits',
      method: 'PUT',
      path: '/apps/{app}/components/{component}/limits',
      scope: 'deploy',
      reach: 'app',
      summary:
        'Sets all its limits by hand, at once and until the config itself says something else; a concurrency of 0 switches it off',
      params: componentParams,
      body: jsonBody(limitsInput),
      answer: json(limitsAnswer),
      audit: {
        action: 'limits.set',
        details: ({ params, body }) => ({ component: params.component, ...body }),
      },
      handle: ({ app, params, body }) => running(host, app).setLimits(params.component, limitsOf(body)),
    }),
    route({
      id: 'resetLimits',
      method: 'DELETE',
      path: '/apps/{app}/components/{component}/limits',
      scope: 'deploy',
      reach: 'app',
      summary: 'What the config says of its limits holds again',
      params: componentParams,
      answer: json(limitsAnswer),
      audit: { action: 'limits.reset', details: ({ params }) => ({ component: params.component }) },
      handle: ({ app, params }) => running(host, app).setLimits(params.component, null),
    }),
    route({
      id: 'readLogs',
      method: 'GET',
      path: '/apps/{app}/logs',
      scope: 'read',
      reach: 'app',
      summary: 'The latest entries of its log that match, oldest first',
      query: logsInput,
      answer: json(logsAnswer),
      audit: null,
      handle: ({ app, query }) => Promise.resolve(logsOf(host, app).query(logQuery(query))),
    }),
    route({
      id: 'followLogs',
      method: 'GET',
      path: '/apps/{app}/logs/follow',
      scope: 'read',
      reach: 'app',
      summary: 'The same, and then what is written, until the reader goes',
      query: logsInput,
      answer: lines(logLine),
      audit: null,
      handle({ app, query, caller: { actor } }) {
        const logs = logsOf(host, app);
        refuseMoreFollowers(following, actor);
        following.set(actor, (following.get(actor) ?? 0) + 1);
        const ended = Promise.withResolvers<void>();
        const onEnd = (): void => {
          const left = following.get(actor)! - 1;
          if (left === 0) following.delete(actor);
          else following.set(actor, left);
          ended.resolve();
        };
        const body = logStream({ book: logs, query: logQuery(query), clock, signal: closing, onEnd });
        return Promise.resolve({ body, done: ended.promise });
      },
    }),
  ];
}

/** Each caller has a bound, so that one who leaves streams open is in nobody else's way; and all have one together. */
function refuseMoreFollowers(following: ReadonlyMap<string, number>, actor: string): void {
  const all = following.values().reduce((sum, count) => sum + count, 0);
  const ownBound = (following.get(actor) ?? 0) >= MAX_FOLLOWERS_OF_CALLER;
  if (!ownBound && all < MAX_FOLLOWERS) return;
  throw new FulcrumError(
    'too-many-readers',
    ownBound
      ? `${MAX_FOLLOWERS_OF_CALLER} readers follow logs with this access already. End one of them first.`
      : `${MAX_FOLLOWERS} readers follow logs already. End one of them first.`,
  );
}

interface LogsInput {
  readonly component?: string | undefined;
  readonly request?: string | undefined;
  readonly since?: number | undefined;
  readonly level?: LogQuery['level'];
  readonly limit: number;
}

function logQuery(input: LogsInput): LogQuery {
  return {
    component: input.component,
    requestId: input.request,
    sinceMs: input.since,
    level: input.level,
    limit: input.limit,
  };
}

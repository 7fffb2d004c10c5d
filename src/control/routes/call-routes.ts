import { callsAnswer } from '../call-schema.ts';
import { callsInput, windowMsOf } from '../input.ts';
import { json, route, type Route } from '../route.ts';
import { running, type ApiParts } from './parts.ts';

export function callRoutes({ host }: ApiParts): Route[] {
  return [
    route({
      id: 'readCalls',
      method: 'GET',
      path: '/apps/{app}/calls',
      scope: 'read',
      reach: 'app',
      summary:
        'Which component called which lately, how often, and how long it took, as this server measured it',
      query: callsInput,
      answer: json(callsAnswer),
      audit: null,
      handle: ({ app, query }) => Promise.resolve(running(host, app).calls(windowMsOf(query))),
    }),
  ];
}

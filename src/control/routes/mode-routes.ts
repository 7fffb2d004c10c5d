import { modeHistoryAnswer } from '../component-schemas.ts';
import { modeHistoryInput } from '../input.ts';
import { json, route, type Route } from '../route.ts';
import { running, type ApiParts } from './parts.ts';

export function modeRoutes({ host }: ApiParts): Route[] {
  return [
    route({
      id: 'listModeSteps',
      method: 'GET',
      path: '/apps/{app}/mode-history',
      scope: 'read',
      reach: 'app',
      summary: 'What was decided about modes, by hand and by auto, and why: the newest first',
      query: modeHistoryInput,
      answer: json(modeHistoryAnswer),
      audit: null,
      // What is told may be of a component that is no more.
      handle: ({ app, query: { component, before, limit } }) =>
        running(host, app).modeHistory(component ?? null, before ?? null, limit),
    }),
  ];
}

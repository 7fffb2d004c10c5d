import { appAnswer, appDetailsAnswer, appListAnswer, removedAnswer } from '../schemas.ts';
import { mayAskAbout } from '../caller.ts';
import { routingInput } from '../input.ts';
import { json, jsonBody, route, type Route } from '../route.ts';
import { need, NO_DEPLOYS, recordOf, type ApiParts } from './parts.ts';

export function appRoutes({ host }: ApiParts): Route[] {
  return [
    route({
      id: 'listApps',
      method: 'GET',
      path: '/apps',
      scope: 'read',
      reach: 'own',
      summary: 'The apps that the caller may ask about',
      answer: json(appListAnswer),
      audit: null,
      async handle({ caller }) {
        const apps = (await host.apps()).filter(({ id }) => mayAskAbout(caller, id));
        return apps.map((app) => ({
          ...app,
          running: host.app(app.id) !== null,
          startFailure: host.startFailure?.(app.id) ?? null,
        }));
      },
    }),
    route({
      id: 'getApp',
      method: 'GET',
      path: '/apps/{app}',
      scope: 'read',
      reach: 'app',
      summary: 'One app, and what serves of it',
      answer: json(appDetailsAnswer),
      audit: null,
      handle: async ({ app }) => ({
        app: await recordOf(host, app),
        status: host.app(app)?.app() ?? null,
        startFailure: host.startFailure?.(app) ?? null,
      }),
    }),
    route({
      id: 'setRouting',
      method: 'PUT',
      path: '/apps/{app}/routing',
      scope: 'admin',
      reach: 'app',
      summary: 'The hosts and the path prefix that an app answers under',
      body: jsonBody(routingInput),
      answer: json(appAnswer),
      audit: { action: 'routing.set', details: ({ body }) => body },
      handle: ({ app, body }) => need(host.deploys, NO_DEPLOYS).setRouting(app, body),
    }),
    route({
      id: 'removeApp',
      method: 'DELETE',
      path: '/apps/{app}',
      scope: 'admin',
      reach: 'app',
      summary: 'Ends an app and removes what is kept of it, secrets included',
      answer: json(removedAnswer),
      audit: { action: 'app.remove' },
      async handle({ app }) {
        await need(host.deploys, NO_DEPLOYS).removeApp(app);
        return { removed: true } as const;
      },
    }),
  ];
}

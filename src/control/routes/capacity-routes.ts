import { capacityAnswer } from '../capacity-schema.ts';
import { capacityInput } from '../input.ts';
import { json, route, type Route } from '../route.ts';
import { running, type ApiParts } from './parts.ts';

export function capacityRoutes({ host }: ApiParts): Route[] {
  return [
    route({
      id: 'readCapacity',
      method: 'GET',
      path: '/apps/{app}/capacity',
      scope: 'read',
      reach: 'app',
      summary: 'What the machine and its limits have room for, and when they will be reached',
      query: capacityInput,
      answer: json(capacityAnswer),
      audit: null,
      handle: ({ app, query, caller }) =>
        running(host, app).capacity(query.days, caller.apps === null ? 'server' : 'app'),
    }),
  ];
}

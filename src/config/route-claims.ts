import type { Route } from '../model/app.ts';
import type { EventEndpoint } from '../model/work-settings.ts';
import { type ConfigIssue, renderPath } from './issues.ts';

/**
 * Finds each route that is claimed more than once: same host, same path. The first to claim it is named; where the app takes events, that
 * is the endpoint.
 */
export function routeClaims(
  components: Iterable<{
    readonly name: string;
    readonly values: { readonly routes?: readonly Route[] | undefined };
  }>,
  endpoint: Pick<EventEndpoint, 'host' | 'path'> | null = null,
): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const claims = new Map<string, string>();
  if (endpoint !== null) claims.set(`${endpoint.host ?? ''}${endpoint.path}`, 'events.endpoint');
  for (const { name, values } of components) {
    for (const [index, route] of (values.routes ?? []).entries()) {
      const text = `${route.host ?? ''}${route.path}`;
      const path = renderPath(['components', name, 'routes', index]);
      const first = claims.get(text);
      if (first === undefined) claims.set(text, path);
      else {
        issues.push({
          path,
          found: `'${text}'`,
          message: `${first} claims this route already`,
          expected: 'each route once',
        });
      }
    }
  }
  return issues;
}

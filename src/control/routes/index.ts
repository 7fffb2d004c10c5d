import type { Route } from '../route.ts';
import { openApiDocument } from '../openapi.ts';
import { appRoutes } from './app-routes.ts';
import { callRoutes } from './call-routes.ts';
import { capacityRoutes } from './capacity-routes.ts';
import { componentRoutes } from './component-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { invocationRoutes } from './invocation-routes.ts';
import { modeRoutes } from './mode-routes.ts';
import type { ApiParts } from './parts.ts';
import { releaseRoutes } from './release-routes.ts';
import { secretRoutes } from './secret-routes.ts';
import { serverRoutes } from './server-routes.ts';
import { usageRoutes } from './usage-routes.ts';

/** The whole table. What is not in it does not exist. */
export function allRoutes(parts: ApiParts): readonly Route[] {
  let document: unknown = null;
  const routes: readonly Route[] = [
    ...appRoutes(parts),
    ...componentRoutes(parts),
    ...modeRoutes(parts),
    ...callRoutes(parts),
    ...invocationRoutes(parts),
    ...eventRoutes(parts),
    ...capacityRoutes(parts),
    ...usageRoutes(parts),
    ...releaseRoutes(parts),
    ...secretRoutes(parts),
    ...serverRoutes(parts, () => (document ??= openApiDocument(routes))),
  ];
  return routes;
}

import type { ServiceBinding } from './handler-types.ts';
import { instanceHost } from './host.ts';
import { outsideFulcrum } from './outside.ts';

/**
 * Another component of the app, as something to send HTTP requests to: what a handler has as `env.catalog`. For module level, and for named functions, which
 * are given no `env`. Nothing is looked up before the first request; that rejects as `fetch` of {@link ServiceBinding} says.
 *
 * ```ts
 * const catalog = binding('catalog');
 * const response = await catalog.fetch('/items/A-1');
 * ```
 *
 * @param component its name in `components` of the config.
 */
export function binding(component: string): ServiceBinding {
  return Object.freeze({
    fetch: async (...request: Parameters<ServiceBinding['fetch']>) => {
      const host = instanceHost();
      if (host?.fetch !== undefined) return host.fetch(component, ...request);
      throw outsideFulcrum(
        host,
        `A request to '${component}' was made`,
        'no such component',
        'service bindings',
      );
    },
  });
}

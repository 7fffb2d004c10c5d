import { binding } from '../../sdk/binding.ts';
import { events } from '../../sdk/events.ts';
import type { EventPublisher } from '../../sdk/handler-types.ts';

/** The `env` of hooks and handlers: the component's variables, and what can be done from it. */
export type AuthorsEnv = Readonly<Record<string, string>> & { readonly events: EventPublisher };

/**
 * What is no variable is not among the names: who copies or prints `env` has the variables alone.
 * @param bindings the components that it has service bindings of.
 */
export function authorsEnv(
  variables: Readonly<Record<string, string>>,
  bindings: readonly string[] = [],
): AuthorsEnv {
  const env = { ...variables };
  for (const name of bindings) {
    if (name !== 'events' && !Object.hasOwn(env, name))
      Object.defineProperty(env, name, { value: binding(name), enumerable: false });
  }
  Object.defineProperty(env, 'events', { value: events, enumerable: false });
  return Object.freeze(env) as unknown as AuthorsEnv;
}

/** Makes `process.env` hold exactly `wanted`. */
export function setEnvironment(wanted: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(wanted, name)) delete process.env[name];
  Object.assign(process.env, wanted);
}

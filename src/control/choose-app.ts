import { FulcrumError } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';

export interface NamedApp {
  readonly id: string;
  readonly name: string;
}

/**
 * The app of a server that `wanted` names, by id or, where only one environment of it is there, by name; without, the only one.
 * Throws `not-found` where none fits and `usage` where several do.
 */
export function chooseApp<A extends NamedApp>(apps: readonly A[], wanted?: string): A {
  if (wanted === undefined) {
    if (apps.length === 1) return apps[0]!;
    if (apps.length === 0) {
      throw new FulcrumError('not-found', 'There is no app on this server that you may ask about.');
    }
    throw new FulcrumError('usage', `Several apps run there; say which one with \`--app\`: ${list(apps)}.`);
  }
  const exact = apps.find((app) => app.id === wanted);
  if (exact !== undefined) return exact;
  const named = apps.filter((app) => app.name === wanted);
  if (named.length === 1) return named[0]!;
  if (named.length > 1) {
    throw new FulcrumError('usage', `There are several of '${wanted}'; say which one: ${list(named)}.`);
  }
  const near = nearest(
    wanted,
    apps.map(({ id }) => id),
  );
  const advice =
    near === null
      ? apps.length === 0
        ? 'There is none yet.'
        : `There are: ${list(apps)}.`
      : `Did you mean '${near}'?`;
  throw new FulcrumError('not-found', `There is no app '${wanted}' there. ${advice}`);
}

function list(apps: readonly NamedApp[]): string {
  return apps.map(({ id }) => id).join(', ');
}

import type { ChosenMode } from '../../model/app-record.ts';
import type { AppSpec } from '../../model/app.ts';

/** Of the modes that were chosen by hand those of an app's units: what was said of a group is not said of a component that has its name now, nor the other way round. */
export function chosenModes(
  modes: Readonly<Record<string, ChosenMode>>,
  { groups }: Pick<AppSpec, 'groups'>,
): ReadonlyMap<string, ChosenMode> {
  return new Map(Object.entries(modes).filter(([unit, { isGroup = false }]) => isGroup === groups.has(unit)));
}

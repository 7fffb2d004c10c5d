import { FulcrumError } from '../../base/errors.ts';
import type { ChosenMode } from '../../model/app-record.ts';
import type { AppSpec } from '../../model/app.ts';

/** Of the modes that were chosen by hand those of an app's units: what was said of a group is not said of a component that has its name now, nor the other way round. */
export function chosenModes(
  modes: Readonly<Record<string, ChosenMode>>,
  { groups }: Pick<AppSpec, 'groups'>,
): ReadonlyMap<string, ChosenMode> {
  return new Map(Object.entries(modes).filter(([unit, { isGroup = false }]) => isGroup === groups.has(unit)));
}

/**
 * What is kept of a unit, where that was chosen by hand while a server takes it for one of mode `auto`: by another server, that is. Null where
 * `auto` may go on.
 */
export function chosenByHand(
  modes: Readonly<Record<string, ChosenMode>>,
  unit: string,
  { configured, isGroup = false }: Pick<ChosenMode, 'configured' | 'isGroup'>,
): ChosenMode | null {
  const kept = Object.hasOwn(modes, unit) ? modes[unit]! : null;
  if (kept === null || kept.chosen === 'auto') return null;
  // Of another config's word, or of what had the name before, it says nothing.
  return kept.configured === configured && (kept.isGroup ?? false) === isGroup ? kept : null;
}

/** Throws `conflict` likewise. */
export function refuseChosenByHand(
  modes: Readonly<Record<string, ChosenMode>>,
  unit: string,
  auto: ChosenMode,
): void {
  const by = chosenByHand(modes, unit, auto);
  if (by !== null)
    throw new FulcrumError('conflict', `'${unit}' has been made a ${by.chosen} by hand meanwhile.`);
}

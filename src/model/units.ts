import type { AppSpec, RunnableSpec, UnitSpec } from './app.ts';

/** The components that have instances, their own or a group's. */
export function runnableOf(app: Pick<AppSpec, 'components'>): readonly RunnableSpec[] {
  return [...app.components.values()].filter((spec) => spec.kind !== 'static');
}

/** What instances are of: each group, and each component that is in none. */
export function unitsOf(app: Pick<AppSpec, 'components' | 'groups'>): readonly UnitSpec[] {
  const grouped = new Set([...app.groups.values()].flatMap(membersOf));
  return [...app.groups.values(), ...runnableOf(app).filter(({ name }) => !grouped.has(name))];
}

/** The names of the components that instances of `unit` hold. */
export function membersOf(unit: UnitSpec): readonly string[] {
  return unit.kind === 'group' ? unit.members.map(({ name }) => name) : [unit.name];
}

/** The group that a component is in; null where it is in none. */
export function groupOf(app: Pick<AppSpec, 'groups'>, component: string): string | null {
  for (const group of app.groups.values()) if (membersOf(group).includes(component)) return group.name;
  return null;
}

import type { Revision } from '../model/revision.ts';
import { membersOf } from '../model/units.ts';
import type { Prepared } from './prepare.ts';

type Revisions = Pick<Prepared, 'revisions'>;

/**
 * The components that a deploy of `after` has run something else than `before`, in the order of the app: by their code and settings, by the
 * company they are in, or, where only what a group's members share is different, all of them.
 */
export function changedComponents(before: Revisions, after: Revisions): string[] {
  return [...after.revisions.values()].flatMap((unit) => {
    const old = before.revisions.get(unit.spec.name);
    if (old !== undefined && isSame(old, unit)) return [];
    const names = membersOf(unit.spec);
    if (unit.kind !== 'group' || old?.kind !== 'group') return names;
    const known = new Map(old.members.map((member) => [member.spec.name, member]));
    const changed = unit.members.filter((member) => {
      const was = known.get(member.spec.name);
      return was === undefined || !isSame(was, member);
    });
    const isSmaller = old.members.some((member) => !names.includes(member.spec.name));
    return changed.length === 0 && !isSmaller ? names : changed.map(({ spec }) => spec.name);
  });
}

function isSame(one: Revision, other: Revision): boolean {
  return one.kind === other.kind && one.id === other.id && one.envDigest === other.envDigest;
}

import type { Revision } from '../../model/revision.ts';

/** The components that instances of `revision` hold by name; null where it is no group, and they hold just the one. */
export function groupMembers(revision: Revision): readonly string[] | null {
  return revision.kind === 'group' ? revision.members.map(({ spec }) => spec.name) : null;
}

/** As it begins a sentence: `Component "cart"`, `Group "core"`. */
export function unitText(revision: Revision): string {
  return `${revision.kind === 'group' ? 'Group' : 'Component'} "${revision.spec.name}"`;
}

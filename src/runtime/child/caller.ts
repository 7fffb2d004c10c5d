import { getCallSites } from 'node:util';
import { pathOf } from '../wire/chain-text.ts';
import type { CallHead } from '../wire/messages.ts';
import { InvocationScope, scopes } from './invocation.ts';
import { addressOf } from './module-handlers.ts';
import type { Member, Members } from './members.ts';

/** Frames that are looked through for a member's module. */
const MAX_FRAMES = 20;

/** Too little for anything to be begun. */
const NO_TIME_MS = 1e-6;

/** Whose code asks for something at this moment. */
export interface Asking {
  readonly member: Member;
  /**
   * The invocation that it runs for, or the call for it that was given up; null where that is over otherwise, or there is none. What was given
   * up may call nobody any more, and is told so, as it would be by the server.
   */
  readonly scope: InvocationScope | null;
}

export function whoAsks(members: Members): Asking {
  const scope = scopes.getStore();
  const member = scope === undefined ? null : members.meant(scope.member);
  return {
    member: member ?? byStack(members) ?? members.all[0]!,
    scope: scope instanceof InvocationScope && (!scope.isOver || scope.aborted !== null) ? scope : null,
  };
}

/** What the server is told of whoever asks it for something. */
export function askingHead(members: Members): Partial<CallHead> {
  const { member, scope } = whoAsks(members);
  let invocation = scope;
  while (invocation !== null && invocation.caller !== null) invocation = invocation.caller;
  // Once it is over its stream's number may be another's.
  const parent = invocation === null || invocation.isOver ? null : invocation.stream;
  if (!members.isGroup) return { parent };
  const from = member.component;
  if (scope === null || invocation === null || scope === invocation || parent === null)
    return { parent, from };
  const path = pathOf(scope.step).slice(invocation.step?.depth ?? 0);
  const isShorter = scope.endsAtMs < invocation.endsAtMs;
  return {
    parent,
    from,
    path,
    traceparent: scope.span.traceparent,
    // 0 stands for none.
    ...(isShorter && { remainingMs: scope.remainingMs() || NO_TIME_MS }),
  };
}

/** Nothing has kept track of whose code it is: a library has called it from a place of its own. The sdk is in each member's own module. */
function byStack(members: Members): Member | null {
  const sites = getCallSites(MAX_FRAMES, { sourceMap: false });
  const files = new Set(sites.map(({ scriptName }) => scriptName));
  return members.all.find((member) => files.has(addressOf(member.bundlePath, member.apart))) ?? null;
}

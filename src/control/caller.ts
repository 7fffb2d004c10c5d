import type { Scope } from '../model/access-token.ts';

/** Who asks, and what they may. Made by `Doorkeeper`, asked by every route. */
export interface Caller {
  /** As the audit log names it: a token's name and id, `socket`, or `link` for the token of this start and its browser session. */
  readonly actor: string;
  readonly scope: Scope;
  /** The apps (ids) that they may ask about; null: all. */
  readonly apps: readonly string[] | null;
}

export const SOCKET_CALLER: Caller = { actor: 'socket', scope: 'admin', apps: null };
export const LINK_CALLER: Caller = { actor: 'link', scope: 'admin', apps: null };

const RANK: Readonly<Record<Scope, number>> = { read: 0, deploy: 1, admin: 2 };

export function hasScope(caller: Caller, wanted: Scope): boolean {
  return RANK[caller.scope] >= RANK[wanted];
}

export function mayAskAbout(caller: Caller, app: string): boolean {
  return caller.apps === null || caller.apps.includes(app);
}

import type { HandlerList } from '../../model/instance.ts';
import type { Init, Ready } from '../wire/messages.ts';
import { authorsEnv, type AuthorsEnv } from './environment.ts';
import { listOf, NO_HANDLERS, type ModuleHandlers } from './module-handlers.ts';

/**
 * A component that this process holds. States, and what leads from one to the next:
 *
 *   loading ──its module is there, onLoad done──▶ loaded ──onStart begins──▶ starting ──onStart done──▶ started
 */
export interface Member {
  readonly component: string;
  readonly bundlePath: string;
  /** What its hooks and handlers get. */
  readonly env: AuthorsEnv;
  /** The components that it may call; null: any. */
  readonly calls: readonly string[] | null;
  readonly timeoutMs: number;
  /** By what its module is told from that of another member with the same path; null where there is none. */
  readonly apart: string | null;
  handlers: ModuleHandlers;
  state: 'loading' | 'loaded' | 'starting' | 'started';
}

/** The components that this process holds: one, or those of a group. */
export class Members {
  readonly all: readonly Member[];
  readonly isGroup: boolean;
  readonly #byName: ReadonlyMap<string, Member>;

  constructor(init: Init) {
    this.isGroup = init.members !== undefined;
    const given = init.members ?? [{ ...init, calls: null, timeoutMs: Number.POSITIVE_INFINITY }];
    this.all = given.map(({ component, bundlePath, env, bindings, calls, timeoutMs }, i) => ({
      component,
      bundlePath,
      env: authorsEnv(env, bindings),
      calls,
      timeoutMs,
      apart: given.findIndex((other) => other.bundlePath === bundlePath) < i ? component : null,
      handlers: NO_HANDLERS,
      state: 'loading',
    }));
    this.#byName = new Map(this.all.map((member) => [member.component, member]));
  }

  /** Null where it is not here. */
  get(component: string): Member | null {
    return this.#byName.get(component) ?? null;
  }

  /** Whom the server means; null where it means one that is not here. A component by itself is always meant. */
  meant(component: string | null | undefined): Member | null {
    return this.isGroup ? this.get(component ?? '') : this.all[0]!;
  }

  /** As whom a member's code is known; null where there is but one component. */
  nameOf(member: Member): string | null {
    return this.isGroup ? member.component : null;
  }

  /** Whether one of them has something to do in each instance before its first invocation. */
  get haveToStart(): boolean {
    return this.all.some(({ handlers }) => handlers.onStart !== null);
  }

  /** What the server is told once they are loaded. */
  ready(inspectUrl: string | null): Ready {
    if (!this.isGroup) return { handlers: listOf(this.all[0]!.handlers), inspectUrl };
    const members: Record<string, HandlerList> = {};
    for (const { component, handlers } of this.all) members[component] = listOf(handlers);
    return { handlers: listOf(NO_HANDLERS), members, inspectUrl };
  }
}

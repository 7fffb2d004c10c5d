import { FulcrumError } from '../base/errors.ts';
import type { ComponentLimits, Load } from './limits/component-limits.ts';

/** The unit that holds them. */
export interface MemberOwner {
  readonly name: string;
  /** Invocations of that member which wait or are worked on. */
  loadOf(member: string): number;
  limitsChanged(): void;
}

/** A component as what has instances holds it: what may be asked of it is its own, whomever it shares them with. */
class UnitMember implements Load {
  readonly name: string;
  readonly limits: ComponentLimits;
  readonly #owner: MemberOwner;

  constructor(name: string, limits: ComponentLimits, owner: MemberOwner) {
    this.name = name;
    this.limits = limits;
    this.#owner = owner;
  }

  get load(): number {
    return this.#owner.loadOf(this.name);
  }

  changed(): void {
    this.#owner.limitsChanged();
  }
}

/** The components that a unit holds: itself, or the members of a group. */
export class UnitMembers {
  readonly #owner: MemberOwner;
  readonly #members: ReadonlyMap<string, UnitMember>;
  /** Of what is no group: every request asks for it. */
  readonly #only: UnitMember | null;

  constructor(
    names: readonly string[],
    isGroup: boolean,
    limitsOf: (member: string) => ComponentLimits,
    owner: MemberOwner,
  ) {
    this.#owner = owner;
    this.#members = new Map(names.map((name) => [name, new UnitMember(name, limitsOf(name), owner)]));
    this.#only = isGroup ? null : this.#members.get(owner.name)!;
  }

  get isGroup(): boolean {
    return this.#only === null;
  }

  /** What may be asked of a component that it holds. */
  limitsOf(component: string): ComponentLimits {
    const member = this.#only ?? this.#members.get(component);
    if (member !== undefined) return member.limits;
    throw new FulcrumError('internal', `Group "${this.#owner.name}" holds no component "${component}".`);
  }

  /** From now on, until `leave`, what they have counts. */
  enter(): void {
    for (const member of this.#members.values()) member.limits.enter(member);
  }

  leave(): void {
    for (const member of this.#members.values()) member.limits.leave(member);
  }

  /** Nothing may be asked of any. */
  get areOff(): boolean {
    return [...this.#members.values()].every(({ limits }) => limits.isOff);
  }

  /** Those of a group whose calls have limits to be held: they cannot be made within the process. */
  get throughServer(): readonly string[] {
    if (!this.isGroup) return [];
    return [...this.#members.values()].flatMap(({ name, limits }) => (limits.anyOfCalls ? [name] : []));
  }
}

import { FulcrumError } from '../../base/errors.ts';
import { requestId } from '../../base/ids.ts';
import type { CallRules } from '../../model/call-rules.ts';
import { ORPHAN_TIMEOUT_MS } from '../wire/limits.ts';
import { notMade, withCaller } from './call-errors.ts';
import type { CallRecords } from './call-records.ts';
import { whoAsks, type Asking } from './caller.ts';
import { InvocationScope, type InvocationHost } from './invocation.ts';
import { LocalCall } from './local-call.ts';
import { LocalFetch } from './local-fetch.ts';
import { LocalCrossing } from './local-crossing.ts';
import type { Member, Members } from './members.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import { Span } from './span.ts';

export interface LocalCallsOptions {
  readonly members: Members;
  readonly records: CallRecords;
  readonly host: InvocationHost;
  /** Whether the members' time is that until they answer a request, as in a service. */
  readonly mayOutlast: boolean;
  /** Resolves when the member has begun, so that it can be called. Rejects where it cannot be. */
  readonly whenBegun: (member: Member) => Promise<void>;
}

/** Calls between the members of a group, which stay in its process. */
export class LocalCalls {
  readonly #options: LocalCallsOptions;
  readonly #rules: CallRules;
  #viaServer: ReadonlySet<string> = new Set();
  #underWay = 0;

  constructor(options: LocalCallsOptions) {
    const { members } = options;
    this.#options = options;
    const names = members.all.map(({ component }) => component);
    this.#rules = { components: () => names, callsOf: (component) => members.get(component)?.calls ?? null };
  }

  /** Calls that are not over. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Calls of these, and of no others, are the server's to make: they have limits that it holds. */
  callThroughServer(members: readonly string[]): void {
    this.#viaServer = new Set(members);
  }

  /** The member whose functions are called here; null where the server is to be asked. */
  target(component: string): Member | null {
    const { members } = this.#options;
    return members.isGroup && !this.#viaServer.has(component) ? members.get(component) : null;
  }

  /** Rejects as a call over the wire does. An async function, so that V8 knows who waits for it and can tell of a failure. */
  async call(to: Member, functionName: string, args: readonly unknown[]): Promise<unknown> {
    const { members, records, host, whenBegun } = this.#options;
    const asking = whoAsks(members);
    const crossing = new LocalCrossing();
    let copies: unknown[];
    try {
      copies = crossing.cross(args, 'arguments') as unknown[];
    } catch (error) {
      throw withCaller(notMade(error, asking, to.component, functionName));
    }
    this.#underWay++;
    try {
      if (to.state !== 'started')
        await whenBegun(to).catch((error: unknown) => {
          crossing.giveUp(error);
          throw error;
        });
      const caller = asking.scope ?? this.#orphan(asking);
      return await new LocalCall({
        records,
        host,
        rules: this.#rules,
        from: asking.member,
        caller,
        to,
        functionName,
        crossing,
        copies,
      }).made();
    } catch (error) {
      throw withCaller(error);
    } finally {
      this.#underWay--;
    }
  }

  /** The same for a request through a service binding. */
  async fetch(to: Member, request: OutgoingRequest): Promise<Response> {
    const { members, records, whenBegun, host, mayOutlast } = this.#options;
    const asking = whoAsks(members);
    this.#underWay++;
    try {
      if (to.state !== 'started') await whenBegun(to);
      const caller = asking.scope ?? this.#orphan(asking);
      request.signal?.throwIfAborted();
      return await new LocalFetch({
        ...{ records, host, mayOutlast, rules: this.#rules },
        ...{ from: asking.member, caller, to, request },
      }).answered();
    } catch (error) {
      throw error === request.signal?.reason ? error : withCaller(error);
    } finally {
      this.#underWay--;
    }
  }

  /** What stands for the invocation of code that runs for none, or for one that is over: nobody gives it up. */
  #orphan({ member }: Asking): InvocationScope {
    return new InvocationScope({
      host: this.#options.host,
      stream: null,
      requestId: requestId(),
      component: member.component,
      member: member.component,
      remainingMs: ORPHAN_TIMEOUT_MS,
      traceparent: Span.first().traceparent,
      step: null,
    });
  }
}

/** A member is called by another while both are being loaded. */
export function notYetLoaded(member: Member): FulcrumError {
  const message = `Component "${member.component}" is called while it is being loaded, in one process with the one that calls it. Call it in \`onStart\` or in a handler.`;
  return new FulcrumError('start-failed', message);
}

import type { Context } from '../../sdk/handler-types.ts';
import { eventOf } from '../../sdk/event.ts';
import { setInstanceHost } from '../../sdk/host.ts';
import { COMPOSE_MINOR, EVENT_MINOR, FRAME } from '../wire/frames.ts';
import type { Init, Ready } from '../wire/messages.ts';
import { setAuthorsRoot } from './author-errors.ts';
import { CallClient } from './call-client.ts';
import { CallRecords } from './call-records.ts';
import { CallSlots } from './call-slots.ts';
import { endOnFault, endOnSignal, initFailure } from './endings.ts';
import { setEnvironment } from './environment.ts';
import { FetchClient } from './fetch-client.ts';
import { ChildInstance, sendLine } from './instance.ts';
import { InvocationScope, scopes, type Scope } from './invocation.ts';
import type { Link } from './link.ts';
import { LocalCalls, notYetLoaded } from './local-calls.ts';
import { Members, type Member } from './members.ts';
import { loadModule, type ModuleHandlers } from './module-handlers.ts';
import { outgoingRequest } from './outgoing-request.ts';
import { printOver } from './process-setup.ts';

/** What a process holds, a component's module or those of a group, whichever engine made it: first loaded, then at work. */
export class Component {
  readonly #link: Link;
  readonly #init: Init;
  readonly #members: Members;
  readonly #slots = new CallSlots();
  readonly #calls: CallClient;
  readonly #fetches: FetchClient;
  readonly #records: CallRecords;
  readonly #local: LocalCalls;
  #serving: ChildInstance | null = null;
  #phase: 'loading' | 'beginning' | 'failed' = 'loading';
  readonly #begun = new Map<Member, Promise<void>>();

  constructor(link: Link, init: Init) {
    this.#link = link;
    this.#init = init;
    this.#members = new Members(init);
    this.#calls = new CallClient(link, this.#members, this.#slots, init.minor);
    this.#fetches = new FetchClient(link, this.#members, this.#slots);
    this.#records = new CallRecords(link);
    this.#local = new LocalCalls({
      members: this.#members,
      records: this.#records,
      host: { report: (scope, text) => sendLine(link.connection, scope, 'stderr', 'error', text) },
      mayOutlast: init.mode === 'service',
      whenBegun: (member) => this.#whenBegun(member),
    });
  }

  /** Makes the process the component's, or the group's: environment, console, calls. Once, before {@link load}. */
  occupy(): void {
    const [link, init, calls] = [this.#link, this.#init, this.#calls];
    setEnvironment({ ...init.baseEnv, ...init.env });
    process.argv = [process.execPath, this.#members.all[0]!.bundlePath];
    setAuthorsRoot(init.filesRoot);
    (globalThis as Record<symbol, unknown>)[Symbol.for('fulcrum.files-root')] = init.filesRoot;
    printOver(link);
    setInstanceHost({
      version: 1,
      component: init.component,
      call: (component, functionName, args) => this.#call(component, functionName, args),
      context: contextNow,
      // A server that is older than these are would take it for a break of the protocol.
      ...(init.minor >= EVENT_MINOR && {
        publish: async (type, data, options) => calls.publish(eventOf(type, data, options)),
      }),
      ...(init.minor >= COMPOSE_MINOR && {
        fetch: (component, input, init) => this.#fetch(component, input, init),
      }),
    });
  }

  #call(component: string, functionName: string, args: readonly unknown[]): Promise<unknown> {
    const member = this.#local.target(component);
    return member === null
      ? this.#calls.call(component, functionName, args)
      : this.#local.call(member, functionName, args);
  }

  async #fetch(component: string, input: unknown, init: unknown): Promise<Response> {
    const request = outgoingRequest(component, input, init);
    request.signal?.throwIfAborted();
    const member = this.#local.target(component);
    return member === null
      ? await this.#fetches.fetch(component, request)
      : await this.#local.fetch(member, request);
  }

  /** Calls to other components that have not been answered. */
  get callsUnderWay(): number {
    return this.#slots.underWay + this.#local.underWay;
  }

  /** Imports the modules. False where that failed: the server has been told why, and ends the process when it has read that. */
  async load(): Promise<boolean> {
    const fault = endOnFault(this.#link);
    for (const member of this.#members.all) {
      fault.loads(this.#members.nameOf(member));
      try {
        await this.#as(member, async () => {
          member.handlers = await loadModule(member.bundlePath, member.apart);
          await member.handlers.onLoad?.(member.env);
        });
        member.state = 'loaded';
      } catch (error) {
        this.#failed(error, member);
        return false;
      }
    }
    fault.loaded();
    return true;
  }

  /** Handlers that no module was loaded for. */
  hold(handlers: ModuleHandlers): void {
    for (const member of this.#members.all) {
      member.handlers = handlers;
      member.state = 'loaded';
    }
  }

  /** Whether there is something to do in each instance before its first invocation. */
  get hasToBegin(): boolean {
    return this.#members.haveToStart;
  }

  /** Does that. False where it failed, which the server has been told. */
  async begin(): Promise<boolean> {
    this.#phase = 'beginning';
    for (const member of this.#members.all) {
      try {
        await this.#whenBegun(member);
      } catch {
        return false;
      }
    }
    return true;
  }

  /** A member that is called by the `onStart` of another before its turn begins then: apart it would have begun before it was called, too. */
  async #whenBegun(member: Member): Promise<void> {
    if (member.state === 'loading') throw notYetLoaded(member);
    // In a zygote nothing begins; and two that call each other as they begin would wait for each other.
    if (this.#phase === 'loading' || member.state === 'starting') return;
    let begun = this.#begun.get(member);
    if (begun === undefined) this.#begun.set(member, (begun = this.#beginOne(member)));
    await begun;
  }

  async #beginOne(member: Member): Promise<void> {
    const { onStart } = member.handlers;
    member.state = 'starting';
    try {
      if (onStart !== null) await this.#as(member, () => onStart(member.env));
    } catch (error) {
      this.#failed(error, member);
      throw error;
    }
    member.state = 'started';
  }

  /** Runs code of a member that runs for no invocation. */
  #as<T>(member: Member, code: () => T): T {
    if (!this.#members.isGroup) return code();
    const scope: Scope = { requestId: null, stream: null, member: member.component };
    return scopes.run(scope, code);
  }

  #failed(error: unknown, member: Member): void {
    if (this.#phase === 'failed') return;
    this.#phase = 'failed';
    const { connection } = this.#link;
    connection.writer.json(FRAME.INIT_FAILED, 0, 0, initFailure(error, this.#members.nameOf(member)));
    connection.flush();
  }

  ready(inspectUrl: string | null): Ready {
    return this.#members.ready(inspectUrl);
  }

  /** From now on what comes over the link becomes calls of the handlers. */
  serve(): void {
    for (const member of this.#members.all) member.state = 'started';
    const local = this.#members.isGroup ? { calls: this.#local, records: this.#records } : null;
    this.#serving = new ChildInstance(this.#link.connection, this.#init, this.#members, local);
  }

  /** Calls `ended` when nothing runs any more; nothing new begins. */
  end(ended: () => void): void {
    if (this.#serving === null) ended();
    else this.#serving.end(ended);
  }

  /** SIGTERM: what has begun is finished, then the process ends. The server sets the limit to that. */
  endOnSignal(): void {
    endOnSignal((ended) => this.end(ended));
  }
}

/** Of the invocation, or the call within the process, whose code runs; null where none does. */
function contextNow(): Context | null {
  const scope = scopes.getStore();
  return scope instanceof InvocationScope ? scope.context : null;
}

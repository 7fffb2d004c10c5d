import { eventOf } from '../../sdk/event.ts';
import { setInstanceHost } from '../../sdk/host.ts';
import { EVENT_MINOR, FRAME } from '../wire/frames.ts';
import type { Init } from '../wire/messages.ts';
import { setAuthorsRoot, thrownByAuthor } from './author-errors.ts';
import { CallClient } from './call-client.ts';
import { endOnFault, endOnSignal } from './endings.ts';
import { authorsEnv, setEnvironment, type AuthorsEnv } from './environment.ts';
import { ChildInstance } from './instance.ts';
import type { Link } from './link.ts';
import { loadModule, type ModuleHandlers } from './module-handlers.ts';
import { printOver } from './process-setup.ts';

/** A component's module in a process, whichever engine made it: first loaded, then at work. */
export class Component {
  readonly #link: Link;
  readonly #init: Init;
  readonly #calls: CallClient;
  /** What hooks and handlers get. */
  readonly #env: AuthorsEnv;
  #serving: ChildInstance | null = null;

  constructor(link: Link, init: Init) {
    this.#link = link;
    this.#init = init;
    this.#calls = new CallClient(link);
    this.#env = authorsEnv(init.env);
  }

  /** Makes the process the component's: environment, console, calls. Once, before {@link load}. */
  occupy(): void {
    const [link, init, calls] = [this.#link, this.#init, this.#calls];
    setEnvironment({ ...init.baseEnv, ...init.env });
    process.argv = [process.execPath, init.bundlePath];
    setAuthorsRoot(init.filesRoot);
    (globalThis as Record<symbol, unknown>)[Symbol.for('fulcrum.files-root')] = init.filesRoot;
    printOver(link);
    setInstanceHost({
      version: 1,
      component: init.component,
      call: (component, functionName, args) => calls.call(component, functionName, args),
      // A server that is older than events are would take it for a break of the protocol.
      ...(init.minor >= EVENT_MINOR && {
        publish: async (type, data, options) => calls.publish(eventOf(type, data, options)),
      }),
    });
  }

  /** Calls to other components that have not been answered. */
  get callsUnderWay(): number {
    return this.#calls.underWay;
  }

  /** Imports the module. Null where that failed: the server has been told why, and ends the process when it has read that. */
  async load(): Promise<ModuleHandlers | null> {
    const fault = endOnFault(this.#link);
    try {
      const handlers = await loadModule(this.#init.bundlePath);
      await handlers.onLoad?.(this.#env);
      fault.loaded();
      return handlers;
    } catch (error) {
      this.#failed(error);
      return null;
    }
  }

  /** What the module does in each instance before its first invocation. False where that failed, which the server has been told. */
  async begin(handlers: ModuleHandlers): Promise<boolean> {
    try {
      await handlers.onStart?.(this.#env);
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    const { connection } = this.#link;
    connection.writer.json(FRAME.INIT_FAILED, 0, 0, thrownByAuthor(error));
    connection.flush();
  }

  /** From now on what comes over the link becomes calls of the handlers. */
  serve(handlers: ModuleHandlers): void {
    this.#serving = new ChildInstance(this.#link.connection, this.#init, this.#env, handlers);
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

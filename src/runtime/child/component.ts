import { setInstanceHost } from '../../sdk/host.ts';
import { FRAME } from '../wire/frames.ts';
import type { Init } from '../wire/messages.ts';
import { setAuthorsRoot, thrownByAuthor } from './author-errors.ts';
import { CallClient } from './call-client.ts';
import { endOnFault, endOnSignal } from './endings.ts';
import { setEnvironment } from './environment.ts';
import { ChildInstance } from './instance.ts';
import type { Link } from './link.ts';
import { loadModule, type ModuleHandlers } from './module-handlers.ts';
import { printOver } from './process-setup.ts';

/** A component's module in a process, whichever engine made it: first loaded, then at work. */
export class Component {
  readonly #link: Link;
  readonly #init: Init;
  readonly #calls: CallClient;
  #serving: ChildInstance | null = null;

  constructor(link: Link, init: Init) {
    this.#link = link;
    this.#init = init;
    this.#calls = new CallClient(link);
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
      await handlers.onLoad?.(this.#init.env);
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
      await handlers.onStart?.(this.#init.env);
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
    this.#serving = new ChildInstance(this.#link.connection, this.#init, handlers);
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

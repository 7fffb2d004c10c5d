import { LineProcess } from './line-process.ts';

interface Serving {
  /** All that serve at the moment. */
  readonly pids: readonly number[];
  /** By component, where it is an app. */
  readonly instances?: Readonly<Record<string, readonly number[]>>;
}

/** A server under measurement, in a process of its own. */
export class ServerProcess {
  readonly #process: LineProcess<{ url: string }>;

  private constructor(process: LineProcess<{ url: string }>) {
    this.#process = process;
  }

  /** @param script one of this folder that answers every line with the processes that serve. */
  static async start(
    script: string,
    args: readonly string[] = [],
    cpu: number | null = null,
  ): Promise<ServerProcess> {
    return new ServerProcess(await LineProcess.start(script, args, cpu));
  }

  /** Without a slash at the end. */
  get url(): string {
    return this.#process.hello.url;
  }

  /** Of the process that all others were begun by. */
  get pid(): number {
    return this.#process.pid;
  }

  /** All processes that serve at the moment. */
  async pids(): Promise<readonly number[]> {
    return (await this.#process.ask<Serving>({})).pids;
  }

  /** The instances of a component at the moment. */
  async instances(component: string): Promise<readonly number[]> {
    return (await this.#process.ask<Serving>({})).instances?.[component] ?? [];
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

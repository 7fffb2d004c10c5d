import { LineProcess } from './line-process.ts';

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

  /** All processes that serve at the moment. */
  async pids(): Promise<readonly number[]> {
    return (await this.#process.ask<{ pids: number[] }>({})).pids;
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const END_WITHIN_MS = 10_000;

/**
 * A script of this folder in a process of its own that answers in lines of JSON: one when it is ready, then one for each line it
 * is given. It ends when its input does.
 */
export class LineProcess<Hello> {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly hello: Hello;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, hello: Hello) {
    this.#child = child;
    this.#lines = lines;
    this.hello = hello;
  }

  /** @param cpu the one processor that it and all that it starts may use; null: any. */
  static async start<Hello>(
    script: string,
    args: readonly string[] = [],
    cpu: number | null = null,
  ): Promise<LineProcess<Hello>> {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const pinned = cpu === null ? [] : ['taskset', '-c', String(cpu)];
    // Thousands of slow clients need as many descriptors as may be had.
    const command = 'ulimit -n "$(ulimit -H -n)" 2>/dev/null; exec "$@"';
    const words = ['-c', command, 'sh', ...pinned, process.execPath, '--conditions=fulcrum-source'];
    const child = spawn('sh', [...words, '--disable-warning=ExperimentalWarning', path, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    try {
      return new LineProcess(child, lines, (await nextLine(script, lines)) as Hello);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** One question at a time. */
  async ask<Answer>(question: unknown): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify(question)}\n`);
    return (await nextLine(String(this.#child.spawnargs.at(-1)), this.#lines)) as Answer;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.stdin!.end();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), END_WITHIN_MS);
    await exited;
    clearTimeout(late);
  }
}

async function nextLine(script: string, lines: AsyncIterator<string>): Promise<unknown> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error(`${script} ended before it answered; what it said stands above.`);
  return JSON.parse(value);
}

/** The other end: says hello, answers each question, and returns when there are no more. */
export async function serveLines(
  hello: unknown,
  answer: (question: never) => Promise<unknown>,
): Promise<void> {
  process.stdout.write(`${JSON.stringify(hello)}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as never))}\n`);
  }
}

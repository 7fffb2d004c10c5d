/**
 * Shares out the process' CPU time among the invocations that run in it: while n run, each is charged an n-th. What is spent
 * while none runs is charged to nobody.
 */
export class CpuMeter {
  readonly #read: () => number;
  #running = 0;
  #readMicros = 0;
  /** What one invocation that had run from the beginning would have been charged. */
  #shareMicros = 0;

  /** @param read the process' CPU time in µs. */
  constructor(read: () => number = processMicros) {
    this.#read = read;
  }

  /** @returns a mark for {@link end}. */
  begin(): number {
    this.#advance();
    this.#running++;
    return this.#shareMicros;
  }

  /** @returns µs charged since `begin` gave `mark`. */
  end(mark: number): number {
    this.#advance();
    this.#running--;
    return Math.round(this.#shareMicros - mark);
  }

  #advance(): void {
    const now = this.#read();
    if (this.#running > 0) this.#shareMicros += (now - this.#readMicros) / this.#running;
    this.#readMicros = now;
  }
}

function processMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

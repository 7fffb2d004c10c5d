/**
 * Shares out the process' CPU time among the invocations that run in it: in each turn of the event loop, what was spent is shared
 * by those that ran in it, alike. What is spent while none runs is charged to nobody. The time is read at the beginning and the
 * end of turns in which an invocation begins or ends, and not for each of them: to read it takes as long as to answer "hello".
 */
export class CpuMeter {
  readonly #read: () => number;
  /** Asks that `settle` be called when this turn of the loop ends. */
  readonly #atTurnEnd: () => void;
  #state: 'settled' | 'in-turn' = 'settled';
  /** Invocations that run, or have ended in this turn. */
  #running = 0;
  #readMicros = 0;
  /** What one invocation that had run from the beginning would have been charged. */
  #shareMicros = 0;
  #ended: { readonly mark: number; readonly told: (micros: number) => void }[] = [];

  /** @param read the process' CPU time in µs. */
  constructor(atTurnEnd: () => void, read: () => number = processMicros) {
    this.#atTurnEnd = atTurnEnd;
    this.#read = read;
  }

  /** @returns a mark for {@link end}. */
  begin(): number {
    this.#enterTurn();
    this.#running++;
    return this.#shareMicros;
  }

  /** Calls `told` at the end of this turn, with the µs charged since `begin` gave `mark`. */
  end(mark: number, told: (micros: number) => void): void {
    this.#enterTurn();
    this.#ended.push({ mark, told });
  }

  /** The turn ends. */
  settle(): void {
    if (this.#state === 'settled') return;
    this.#advance();
    this.#state = 'settled';
    const ended = this.#ended;
    this.#ended = [];
    this.#running -= ended.length;
    for (const { mark, told } of ended) told(Math.round(this.#shareMicros - mark));
  }

  #enterTurn(): void {
    if (this.#state === 'in-turn') return;
    this.#state = 'in-turn';
    this.#advance();
    this.#atTurnEnd();
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

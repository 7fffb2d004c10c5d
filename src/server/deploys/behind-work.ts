/** What goes on behind answers that have been given: so that a server can wait for it before it ends. */
export class BehindWork {
  readonly #all = new Set<Promise<void>>();

  /** @param work must not reject. */
  add(work: Promise<void>): void {
    const settled: Promise<void> = work.finally(() => this.#all.delete(settled));
    this.#all.add(settled);
  }

  async settled(): Promise<void> {
    while (this.#all.size > 0) await Promise.all(this.#all);
  }
}

import type { StepList, StepLine } from './step-list.ts';

/** Runs the steps of a deploy that this machine does, and shows each. Ends as soon as one fails. */
export class Progress {
  readonly #list: StepList | null;
  /** What is under way, for whoever interrupts it. */
  current: string | null = null;

  /** @param list null: nothing is shown. */
  constructor(list: StepList | null) {
    this.#list = list;
  }

  /** @param work gives what there is to say once it is done; `begun` changes what is said meanwhile. */
  async step<T>(
    name: string,
    work: (
      begun: (text: string) => void,
    ) => Promise<{ readonly value: T; readonly text: string; readonly skipped?: boolean }>,
  ): Promise<T> {
    const beganMs = performance.now();
    const set = (state: StepLine['state'], text: string): void =>
      this.#list?.set({ name, state, text, tookMs: state === 'begun' ? null : performance.now() - beganMs });
    this.current = name;
    set('begun', '');
    try {
      const { value, text, skipped } = await work((begun) => set('begun', begun));
      set(skipped === true ? 'skipped' : 'done', text);
      return value;
    } catch (error) {
      set('failed', '');
      throw error;
    }
  }

  note(text: string): void {
    this.#list?.note(text);
  }
}

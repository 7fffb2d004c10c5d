/** Who is asked. Each answer is one that was checked. */
export interface Asker {
  text(question: TextQuestion): Promise<string>;
  one<T extends string>(question: ChoiceQuestion<T> & { readonly standard: T }): Promise<T>;
  some<T extends string>(question: ChoiceQuestion<T>): Promise<readonly T[]>;
}

export interface TextQuestion {
  readonly message: string;
  /** What an empty answer stands for. */
  readonly standard: string;
  /** What is wrong with an answer; null where it can be taken. */
  readonly check: (answer: string) => string | null;
}

export interface ChoiceQuestion<T> {
  readonly message: string;
  readonly options: readonly Choice<T>[];
}

export interface Choice<T> {
  value: T;
  label: string;
  hint?: string;
}

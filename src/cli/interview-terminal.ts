import type { Asker, Choice, ChoiceQuestion } from './asker.ts';
import { EXIT } from './exit-codes.ts';

/** Questions in a terminal, on stderr, so that the answer can be piped. Ctrl-C ends the command. */
export async function terminalAsker(): Promise<Asker> {
  const { multiselect, select, text } = await import('@clack/prompts');
  const output = process.stderr;
  // What the prompts answer to Ctrl-C is a symbol.
  const given = <T extends string | readonly string[]>(answer: T | symbol): T => {
    if (typeof answer === 'symbol') process.exit(EXIT.interrupted);
    return answer;
  };
  return {
    text: async ({ message, standard, check }) => {
      const placeholder = standard === '' ? {} : { placeholder: standard };
      const answer = await text({
        ...{ message, ...placeholder, defaultValue: standard, output },
        validate: (value) => check(value === undefined || value === '' ? standard : value) ?? undefined,
      });
      return given<string>(answer);
    },
    // The values are those of the options, which the prompts' types lose of a type that is not known yet.
    one: async <T extends string>({
      message,
      options,
      standard,
    }: ChoiceQuestion<T> & { readonly standard: T }) => {
      const choices: Choice<string>[] = [...options];
      return given(await select({ message, options: choices, initialValue: standard, output })) as T;
    },
    some: async <T extends string>({ message, options }: ChoiceQuestion<T>) => {
      const choices: Choice<string>[] = [...options];
      return given(await multiselect({ message, options: choices, required: false, output })) as readonly T[];
    },
  };
}

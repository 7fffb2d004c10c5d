import { authorMessage, authorText } from '../../base/author-stack.ts';
import type { ThrownError } from '../../model/invocation.ts';
import { toThrown } from '../wire/thrown.ts';

/** One process runs one component: where its app's files are is known to all of it. */
let root: string | null = null;

export function setAuthorsRoot(filesRoot: string): void {
  root = filesRoot;
}

/** `text` that is to be logged, whose stacks are told as the author knows them. */
export function loggedText(text: string): string {
  return root === null ? text : authorText(text, root);
}

/**
 * `value`, thrown by the author's code, as data, told as the author knows it. Never throws.
 * @param cut what is told of a stack.
 */
export function thrownByAuthor(value: unknown, cut: ((stack: string) => string) | null = null): ThrownError {
  const thrown = cut === null ? toThrown(value) : withStacks(toThrown(value), cut);
  return root === null ? thrown : told(thrown, root);
}

function withStacks(thrown: ThrownError, cut: (stack: string) => string): ThrownError {
  const { stack, cause } = thrown;
  return {
    ...thrown,
    stack: stack === null ? null : cut(stack),
    cause: cause === null ? null : withStacks(cause, cut),
  };
}

function told(thrown: ThrownError, from: string): ThrownError {
  return {
    ...thrown,
    message: authorMessage(thrown.message, from),
    stack: thrown.stack === null ? null : authorMessage(authorText(thrown.stack, from), from),
    cause: thrown.cause === null ? null : told(thrown.cause, from),
  };
}

/** `sentence` without the full stop at its end, for use within another one. */
export function asClause(sentence: string): string {
  return sentence.trimEnd().replace(/\.+$/, '');
}

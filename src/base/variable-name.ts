/** Whether `text` can be the name of an environment variable, and so of a secret: letters, digits and _, no digit first. */
export function isVariableName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

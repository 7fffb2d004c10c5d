/** Writes `text` to stdout, with a line break. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** The one document of a command with `--json`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

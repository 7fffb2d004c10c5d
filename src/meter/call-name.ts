/** Of a name: those of functions, and of components that do not exist, are of the author's making. */
const MAX_NAME_CHARS = 100;

export function cut(name: string): string {
  return name.length > MAX_NAME_CHARS ? `${name.slice(0, MAX_NAME_CHARS)}…` : name;
}

/** A copy: a name may be a part of the whole message that it came in, and would keep that in memory. */
export function owned(name: string): string {
  return Buffer.from(name, 'utf16le').toString('utf16le');
}

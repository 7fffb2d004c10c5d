/** One line of `fulcrum doctor`. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'fail';
  /** What was found. */
  readonly found: string;
  /** What to do about it; null where there is nothing to do. */
  readonly advice: string | null;
}

export function ok(name: string, found: string): Finding {
  return { name, status: 'ok', found, advice: null };
}

export function warning(name: string, found: string, advice: string): Finding {
  return { name, status: 'warning', found, advice };
}

export function fail(name: string, found: string, advice: string): Finding {
  return { name, status: 'fail', found, advice };
}

interface Shown {
  readonly number: number | null;
}

/** What there is to say where nothing had to be drained: nothing served before, or what did goes on beside a canary. */
export function nothingDrained(app: {
  readonly serving: Shown | null;
  readonly canary: Shown | null;
}): string {
  if (app.canary === null || app.serving === null) return 'nothing served before';
  return `nothing: release ${app.serving.number} serves the other clients`;
}

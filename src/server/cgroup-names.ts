const NAME = /^fulcrum-(\d+)-(\d+)-(?:\d+-)?[a-z0-9][a-z0-9.@_-]*$/;

/**
 * The name of a component's control groups: it says which server made them, so that they are known when that has been killed.
 * @param scope a number that no other release has on this server; the app's name is for people only.
 */
export function cgroupNameOf(
  server: { readonly pid: number; readonly startedAt: string },
  scope: number,
  app: string,
  component: string,
): string {
  return `fulcrum-${server.pid}-${server.startedAt}-${scope}-${app}.${component}`;
}

/**
 * Whether `name` is of a server that lives no longer; false for groups that are no server's of ours.
 * @param startOf when a living process began; null where there is none of that id.
 */
export function isAbandoned(name: string, startOf: (pid: number) => string | null): boolean {
  const [, pid, startedAt] = NAME.exec(name) ?? [];
  return pid !== undefined && startOf(Number(pid)) !== startedAt;
}

const NAME = /^fulcrum-(\d+)-(\d+)-[a-z][a-z0-9.-]*$/;

/** The name of a component's control groups: it says which server made them, so that they are known when that has been killed. */
export function cgroupNameOf(pid: number, startedAt: string, component: string): string {
  return `fulcrum-${pid}-${startedAt}-${component}`;
}

/**
 * Whether `name` is of a server that lives no longer; false for groups that are no server's of ours.
 * @param startOf when a living process began; null where there is none of that id.
 */
export function isAbandoned(name: string, startOf: (pid: number) => string | null): boolean {
  const [, pid, startedAt] = NAME.exec(name) ?? [];
  return pid !== undefined && startOf(Number(pid)) !== startedAt;
}

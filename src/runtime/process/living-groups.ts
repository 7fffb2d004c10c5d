/**
 * The process groups that live. A group does not hear the Ctrl-C of the server's terminal and would outlive a server that
 * ends without closing (`process.exit`, an error that nobody caught), so all are killed as the server exits. One set for
 * the whole process, because its exit is one.
 */
class LivingGroups {
  readonly #leaders = new Set<number>();
  // Nothing asynchronous happens any more when it is called.
  readonly #onExit = (): void => {
    for (const leader of this.#leaders) signalGroup(leader, 'SIGKILL');
  };

  add(leader: number): void {
    if (this.#leaders.size === 0) process.on('exit', this.#onExit);
    this.#leaders.add(leader);
  }

  delete(leader: number): void {
    this.#leaders.delete(leader);
    if (this.#leaders.size === 0) process.off('exit', this.#onExit);
  }
}

export const livingGroups = new LivingGroups();

/** Signals every member of the group that `leader` leads. Never throws. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // No such group (any more), or none of its members may be signalled: there is nobody to tell.
  }
}

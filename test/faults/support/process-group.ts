import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';

/** A control group that bounds how many processes and threads there may be in it. */
export class ProcessGroup {
  readonly #path: string;

  /** Null where no such group can be made here: that takes root, and the controller of version 1 or a version 2 that gives it to its children. */
  static make(t: TestContext): ProcessGroup | null {
    const name = `fulcrum-test-${process.pid}`;
    for (const parent of ['/sys/fs/cgroup/pids', '/sys/fs/cgroup']) {
      const path = `${parent}/${name}`;
      try {
        mkdirSync(path);
      } catch {
        continue;
      }
      if (!existsSync(`${path}/pids.max`)) {
        rmdirSync(path);
        continue;
      }
      t.after(() => {
        // A server that was killed has left groups of its own in it, which hold nothing any more.
        for (const each of readdirSync(path, { withFileTypes: true }))
          if (each.isDirectory()) removed(`${path}/${each.name}`);
        removed(path);
      });
      return new ProcessGroup(path, parent);
    }
    return null;
  }

  readonly #parent: string;

  private constructor(path: string, parent: string) {
    this.#path = path;
    this.#parent = parent;
  }

  /** What `start` starts before it first waits is in the group, with all that comes of it; this process is not, afterwards. */
  within<T>(start: () => T): T {
    writeFileSync(`${this.#path}/cgroup.procs`, String(process.pid));
    try {
      return start();
    } finally {
      writeFileSync(`${this.#parent}/cgroup.procs`, String(process.pid));
    }
  }

  /** No process or thread may be added to those that there are, nor take the place of one that ends. */
  close(): void {
    writeFileSync(`${this.#path}/pids.max`, '0');
  }

  open(): void {
    writeFileSync(`${this.#path}/pids.max`, 'max');
  }
}

/** Something in it may be on its way to its end still; then it stays, and does no harm. */
function removed(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // See above.
  }
}

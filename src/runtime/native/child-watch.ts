import { readFileSync } from 'node:fs';
import { closeDescriptor } from './descriptors.ts';
import { arch, call, reap, tryCall, type WaitedFor } from './native.ts';

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const F_DUPFD_CLOEXEC = 1030;
const EVENTS = 64;
const SIGKILL = 9;
/** struct epoll_event is packed on x86-64 and aligned elsewhere. */
const EVENT_BYTES = arch === 'x64' ? 12 : 16;
const EVENT_DATA_AT = arch === 'x64' ? 4 : 8;
/** The watch's descriptors lie from here on, so that a child closes all of them in one call. */
const FIRST_DESCRIPTOR = 256;
const LAST_DESCRIPTOR = 0xffff_ffff;

/**
 * The ends of children as something that can be waited for beside a socket. By their descriptors and not by SIGCHLD: another
 * thread of V8 or libuv, which does not hold the signal back, takes it, and it is lost.
 */
export class ChildWatch {
  /** Readable when a child has ended. */
  readonly descriptor: number;
  readonly #children = new Map<number, number>();
  readonly #events = Buffer.alloc(EVENT_BYTES * EVENTS);

  constructor() {
    this.descriptor = raised(call('epoll_create1', [EPOLL_CLOEXEC]));
  }

  /** Watches a child of this process that has not been reaped. */
  add(pid: number): void {
    const child = raised(call('pidfd_open', [pid, 0]));
    const event = Buffer.alloc(EVENT_BYTES);
    event.writeUInt32LE(EPOLLIN, 0);
    event.writeInt32LE(child, EVENT_DATA_AT);
    call('epoll_ctl', [this.descriptor, EPOLL_CTL_ADD, child, event]);
    this.#children.set(pid, child);
  }

  has(pid: number): boolean {
    return this.#children.has(pid);
  }

  /** Reaps all that have ended, orphans among them that this process has inherited. */
  ended(): WaitedFor[] {
    tryCall('epoll_pwait', [this.descriptor, this.#events, EVENTS, 0, null, 0]);
    const ended: WaitedFor[] = [];
    for (let child = reap(-1); child !== null; child = reap(-1)) {
      const descriptor = this.#children.get(child.pid);
      if (descriptor !== undefined) closeDescriptor(descriptor);
      this.#children.delete(child.pid);
      ended.push(child);
    }
    if (ended.length > 0) this.#adopt();
    return ended;
  }

  /** What those that have ended left to this process outlives none of them: it is killed, and watched until it is gone. */
  #adopt(): void {
    for (const pid of ownChildren()) {
      if (this.#children.has(pid)) continue;
      for (const left of [-pid, pid]) tryCall('kill', [left, SIGKILL]);
      try {
        this.add(pid);
      } catch {
        // Only a descriptor too many can be the reason: it is reaped when the next one ends.
      }
    }
  }

  /** In a child of this process: these are its parent's children. */
  drop(): void {
    for (const descriptor of [this.descriptor, ...this.#children.values()]) {
      if (descriptor < FIRST_DESCRIPTOR) closeDescriptor(descriptor);
    }
    tryCall('close_range', [FIRST_DESCRIPTOR, LAST_DESCRIPTOR, 0]);
    this.#children.clear();
  }
}

function ownChildren(): number[] {
  try {
    const list = readFileSync('/proc/thread-self/children', 'latin1').trim();
    return list === '' ? [] : list.split(' ').map(Number);
  } catch {
    return [];
  }
}

/** The same descriptor under a higher number; as it is where there is no room. */
function raised(descriptor: number): number {
  const higher = tryCall('fcntl', [descriptor, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR]);
  if (higher < 0) return descriptor;
  closeDescriptor(descriptor);
  return higher;
}

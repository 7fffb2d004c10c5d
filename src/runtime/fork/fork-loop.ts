import { ChildWatch } from '../native/child-watch.ts';
import { closeDescriptor, Receiver, waitReadable, writeAll } from '../native/descriptors.ts';
import { afterFork, exitNow, fork } from '../native/native.ts';
import {
  currentPid,
  endWithParent,
  inheritOrphans,
  holdSignals,
  newSession,
  parentPid,
  sendSignal,
  SIGKILL,
} from '../native/process-control.ts';
import { forkInto } from '../sandbox/namespaces.ts';
import { messageOf } from '../../base/errors.ts';
import { exhaustedCode } from '../../base/exhausted.ts';
import {
  encodeMessage,
  MessageParser,
  type ForkOrder,
  type Order,
  type Received,
  type Report,
} from './orders.ts';

const READ_BYTES = 64 * 1024;

/** In a child: what it is to be, and the descriptors that came with the order. */
export type Begun = Received<ForkOrder>;

/** What a zygote does beside, in its own process. */
export interface ForkHooks {
  /** A child has ended that was forked for `order`. */
  readonly ended?: (order: ForkOrder) => void;
  /** A child has just been forked, and is on its way. */
  readonly forked?: () => void;
}

/**
 * A zygote at work: carries orders out and reports the ends of its children, until the server closes the socket. It waits inside
 * a system call, with nothing open in its event loop, so that a child finds that loop empty.
 *
 * Returns in each child, at once after the fork. There the parent's descriptors are closed, and the child leads a session of
 * its own and ends with its parent. Returns null in the zygote, when the socket has been closed.
 */
export function forkLoop(control: number, hooks: ForkHooks = {}): Begun | null {
  const children = new ChildWatch();
  const receiver = new Receiver(control, READ_BYTES);
  const orders = new MessageParser<Order>();
  const self = currentPid();
  const forkedFor = new Map<number, ForkOrder>();
  let state: 'open' | 'closed' = 'open';
  const report = (what: Report): void => {
    try {
      writeAll(control, encodeMessage(what));
    } catch {
      // Nobody hears it any more.
      state = 'closed';
    }
  };
  const release = holdSignals();
  const waitedFor = [control, children.descriptor];
  while ((state as string) === 'open') {
    const [asked, ended] = waitReadable(waitedFor, null);
    if (ended) {
      for (const child of children.ended()) {
        // Whatever it had begun and left in its group.
        sendSignal(-child.pid, SIGKILL);
        report({ said: 'ended', ...child });
        const order = forkedFor.get(child.pid);
        forkedFor.delete(child.pid);
        if (order !== undefined) hooks.ended?.(order);
      }
    }
    if (!asked) continue;
    const received = receiver.receive();
    if (received === null) break;
    const whole = orders.push(received.bytes, received.descriptors);
    for (const [index, order] of whole.entries()) {
      const { message, descriptors } = order;
      if (message.do === 'signal') {
        if (children.has(message.pid)) sendSignal(-message.pid, message.signal);
        continue;
      }
      if (message.do === 'become') {
        // It has become somebody's already.
        for (const descriptor of descriptors) closeDescriptor(descriptor);
        continue;
      }
      let pid: number;
      try {
        pid = forkFor(message);
      } catch (error) {
        report({
          said: 'not-forked',
          id: message.id,
          why: messageOf(error),
          exhausted: exhaustedCode(error),
        });
        for (const descriptor of descriptors) closeDescriptor(descriptor);
        continue;
      }
      if (pid === 0) {
        closeDescriptor(control);
        children.drop();
        for (const other of whole.slice(index + 1)) other.descriptors.forEach(closeDescriptor);
        becomeChild(self);
        // What it begins and lets go stays with it, and is its parent's to end when it is gone.
        inheritOrphans();
        release();
        return { message, descriptors };
      }
      forkedFor.set(pid, message);
      report({ said: 'forked', id: message.id, pid });
      children.add(pid);
      for (const descriptor of descriptors) closeDescriptor(descriptor);
      hooks.forked?.();
    }
  }
  closeDescriptor(control);
  children.drop();
  release();
  return null;
}

function forkFor(order: ForkOrder): number {
  if (order.do === 'blank' && order.plan !== null) return forkInto(order.plan);
  const pid = fork();
  if (pid === 0) afterFork();
  return pid;
}

export function becomeChild(parent: number): void {
  endWithParent();
  const now = parentPid();
  // 0: the first process of a process tree does not see its parent.
  if (now !== parent && now !== 0) exitNow(1);
  newSession();
}

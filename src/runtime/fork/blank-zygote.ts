import { Receiver, waitReadable } from '../native/descriptors.ts';
import { exitNow } from '../native/native.ts';
import { enterBlank } from '../sandbox/enter.ts';
import { endLoudly } from './end-loudly.ts';
import type { Begun } from './fork-loop.ts';
import { becomeFunctionZygote } from './function-zygote.ts';
import { limberUp } from './warm-up.ts';
import { MessageParser, type BecomeOrder, type Order, type Received } from './orders.ts';

const READ_BYTES = 64 * 1024;

/**
 * Goes on in a fork of the root zygote: enters the part of a sandbox that is the same for every component, and waits, in a
 * system call, until it is told whose zygote it is. The server ends it.
 */
export async function becomeBlank({ message, descriptors }: Begun): Promise<void> {
  if (message.do !== 'blank') exitNow(1);
  const [control] = descriptors as [number];
  let refused: unknown = null;
  try {
    if (message.plan !== null) enterBlank(message.plan);
  } catch (error) {
    // Told to whoever waits for it; where nobody does, another takes its place.
    if (message.ahead) endLoudly(error);
    refused = error;
  }
  // Not necessary, so nothing comes of what fails in it.
  if (message.ahead) await limberUp().catch(() => undefined);
  try {
    const order = nextOrder(control);
    if (order === null) exitNow(0);
    await becomeFunctionZygote(control, order, refused);
  } catch (error) {
    endLoudly(error);
  }
}

/** Null where the server has closed the socket. */
function nextOrder(control: number): Received<BecomeOrder> | null {
  const receiver = new Receiver(control, READ_BYTES);
  const orders = new MessageParser<Order>();
  for (;;) {
    waitReadable([control], null);
    const received = receiver.receive();
    if (received === null) return null;
    for (const { message, descriptors } of orders.push(received.bytes, received.descriptors)) {
      if (message.do === 'become') return { message, descriptors };
    }
  }
}

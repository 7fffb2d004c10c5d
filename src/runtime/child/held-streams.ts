import { callOver, type IncomingChannel } from './incoming-channel.ts';

/**
 * Streams that calls have returned to an invocation. They end with it: whoever forgets one would keep its source, and the callee's
 * invocation, for as long as the process lives.
 */
const held = new WeakMap<object, Set<IncomingChannel>>();

/** @param scope of the invocation that has made the call. */
export function holdStreams(scope: object, channels: readonly IncomingChannel[]): void {
  let mine = held.get(scope);
  if (mine === undefined) held.set(scope, (mine = new Set()));
  for (const channel of channels) {
    mine.add(channel);
    void channel.over.then(() => mine.delete(channel));
  }
}

/** The invocation is over. */
export function letGoOfStreams(scope: object): void {
  const mine = held.get(scope);
  if (mine === undefined) return;
  held.delete(scope);
  for (const channel of mine) channel.close(callOver());
}

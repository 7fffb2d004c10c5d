import type { What } from './crossing.ts';
import { sourceOf } from './channel-sources.ts';
import { holdStreams } from './held-streams.ts';
import { callOver, IncomingChannel } from './incoming-channel.ts';
import { cloneValue } from './values.ts';

/**
 * What crosses in one call within the process: arguments and result are cloned as the wire would, streams are read through and their
 * chunks cloned, signals are made anew. One for each call.
 */
export class LocalCrossing {
  readonly #channels: Record<What, IncomingChannel[]> = { arguments: [], result: [] };
  #state: 'open' | 'over' = 'open';

  /**
   * A copy of `value`. Throws `call-not-cloneable`, naming the place; no stream has been taken then. What runs when a stream is read or a
   * signal aborts does so in the async context that this is called in.
   */
  cross(value: unknown, what: What): unknown {
    return cloneValue(value, what, (passed) => {
      const channels = passed.map((outgoing) => new IncomingChannel(sourceOf(outgoing)));
      this.#channels[what].push(...channels);
      return channels;
    });
  }

  /** Whether no stream and no signal has crossed so far, so that there is nothing to wait for, and nothing to give up. */
  get isPlain(): boolean {
    return this.#channels.arguments.length === 0 && this.#channels.result.length === 0;
  }

  /** The streams that have come back end with `scope`, that of whoever made the call. */
  endWith(scope: object): void {
    holdStreams(scope, this.#channels.result);
  }

  /**
   * The function has returned, or thrown, and its result has crossed. Resolves when the streams of its result have ended (at once where there
   * are none); streams among the arguments are then cancelled, and signals are silent. To be called once.
   */
  async returned(): Promise<void> {
    const streams = this.#channels.result.filter(({ isStream }) => isStream);
    if (streams.length > 0) await Promise.all(streams.map(({ over }) => over));
    this.giveUp(callOver());
  }

  /** The call is given up: its streams fail with `error` at whoever reads them, and their sources are cancelled. Idempotent. */
  giveUp(error: unknown): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    for (const channel of [...this.#channels.arguments, ...this.#channels.result]) channel.close(error);
  }
}

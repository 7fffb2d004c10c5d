import type { CallHead } from '../wire/messages.ts';
import { askingHead, whoAsks } from './caller.ts';
import { withCaller } from './call-errors.ts';
import type { CallSlots } from './call-slots.ts';
import type { Link } from './link.ts';
import type { Members } from './members.ts';
import { OutgoingFetch } from './outgoing-fetch.ts';
import type { OutgoingRequest } from './outgoing-request.ts';

/** The service bindings of this instance: requests to other components over the wire. */
export class FetchClient {
  readonly #link: Link;
  readonly #members: Members;
  readonly #slots: CallSlots;

  constructor(link: Link, members: Members, slots: CallSlots) {
    this.#link = link;
    this.#members = members;
    this.#slots = slots;
  }

  /** Rejects as `ServiceBinding.fetch` of the sdk says. The signal must not have aborted. */
  async fetch(component: string, request: OutgoingRequest): Promise<Response> {
    const head: Partial<CallHead> = {
      kind: 'fetch',
      encoding: 'json',
      to: component,
      request: request.head,
      ...askingHead(this.#members),
    };
    const payload = Buffer.from(JSON.stringify(head));
    await this.#slot(request);
    let fetch: OutgoingFetch;
    try {
      request.signal?.throwIfAborted();
      fetch = new OutgoingFetch(this.#link.connection, request, payload);
    } catch (error) {
      this.#slots.release();
      throw error;
    }
    // Nobody will read an answer then that nobody reads yet, and the callee would wait for that.
    const forget = whoAsks(this.#members).scope?.atEnd(() => fetch.abandon());
    void fetch.over.then(() => {
      this.#slots.release();
      forget?.();
    });
    try {
      return await fetch.response;
    } catch (error) {
      throw error === request.signal?.reason ? error : withCaller(error);
    }
  }

  /** Rejects, where it is given up meanwhile, with the signal's reason: nobody waits for its turn then. */
  async #slot({ signal }: OutgoingRequest): Promise<void> {
    const taken = this.#slots.take();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => reject(signal!.reason);
    signal?.addEventListener('abort', onAbort);
    try {
      await Promise.race([taken, aborted]);
    } catch (error) {
      taken.then(
        () => this.#slots.release(),
        () => undefined,
      );
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

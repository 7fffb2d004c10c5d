import { FulcrumError } from '../../base/errors.ts';
import { MAX_INSTANCE_STREAMS, MAX_PUBLISHING_BYTES } from '../wire/limits.ts';

/** Calls that may wait here for others to end, because the server takes only so many at a time. */
const MAX_WAITING = 10_000;

/** What an instance may ask of others at a time: calls, requests through service bindings, and events. */
export class CallSlots {
  #running = 0;
  /** Of events under way. */
  #publishingBytes = 0;
  readonly #waiting: { readonly publishingBytes: number; readonly go: () => void }[] = [];

  /** What has not been answered, and what waits to be asked. */
  get underWay(): number {
    return this.#running + this.#waiting.length;
  }

  /** Resolves when it may be asked; then {@link release} must follow. Rejects with `overloaded`. @param publishingBytes of an event. */
  async take(publishingBytes = 0): Promise<void> {
    if (this.takeNow(publishingBytes)) return;
    if (this.#waiting.length >= MAX_WAITING) {
      const message = `More than ${MAX_WAITING} calls to other components and events wait in this instance. Make fewer at a time.`;
      throw new FulcrumError('overloaded', message);
    }
    await new Promise<void>((go) => this.#waiting.push({ publishingBytes, go }));
  }

  /** Where nobody waits and there is room, as nearly always: without a turn of microtasks. @returns whether it may be asked; then {@link release} must follow. */
  takeNow(publishingBytes = 0): boolean {
    if (this.#waiting.length > 0 || !this.#fits(publishingBytes)) return false;
    this.#hold(publishingBytes);
    return true;
  }

  release(publishingBytes = 0): void {
    this.#running--;
    this.#publishingBytes -= publishingBytes;
    this.#next();
  }

  /** Whoever waits goes in the order in which they came. */
  #next(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!this.#fits(next.publishingBytes)) return;
      this.#waiting.shift();
      this.#hold(next.publishingBytes);
      next.go();
    }
  }

  #fits(publishingBytes: number): boolean {
    return (
      this.#running < MAX_INSTANCE_STREAMS && this.#publishingBytes + publishingBytes <= MAX_PUBLISHING_BYTES
    );
  }

  #hold(publishingBytes: number): void {
    this.#running++;
    this.#publishingBytes += publishingBytes;
  }
}

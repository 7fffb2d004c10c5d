import type { BodyReader, BodySource } from '../model/body.ts';

/** A request's body that is whole in memory. */
export class KeptBody implements BodySource {
  readonly lengthBytes: number;
  readonly #bytes: Uint8Array;
  #reader: BodyReader | null = null;
  #state: 'unread' | 'given' | 'paused' | 'over' = 'unread';

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.lengthBytes = bytes.length;
  }

  read(reader: BodyReader): void {
    if (this.#state !== 'unread') return;
    this.#reader = reader;
    this.#state = 'given';
    queueMicrotask(() => {
      if (this.#state === 'over') return;
      reader.data(this.#bytes);
      this.#end();
    });
  }

  pause(): void {
    if (this.#state === 'given') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'given';
    queueMicrotask(() => this.#end());
  }

  cancel(): void {
    this.#state = 'over';
  }

  #end(): void {
    if (this.#state !== 'given') return;
    this.#state = 'over';
    this.#reader!.end();
  }
}

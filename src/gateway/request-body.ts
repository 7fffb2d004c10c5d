import { formatBytes } from '../base/bytes.ts';
import { FulcrumError } from '../base/errors.ts';
import { TransferWatch } from './transfer-watch.ts';
import type { Clock } from '../base/clock.ts';
import type { BodyReader, BodySource } from '../model/body.ts';
import type { TransferLimits } from './transfer-watch.ts';

/**
 *   unread ──read()──▶ flowing ⇄ paused ──last byte delivered──▶ ended
 *     │                  └── too large, too slow, broken, client gone ──▶ failed
 *     └──────────────────── cancel() ──▶ discarding
 */
type BodyState = 'unread' | 'flowing' | 'paused' | 'ended' | 'failed' | 'discarding';

export interface RequestBodyOptions {
  readonly lengthBytes: number | null;
  readonly limitBytes: number;
  /** What whoever sends more is told. */
  readonly tooLarge: (limitBytes: number) => FulcrumError;
  readonly watch: TransferLimits;
  readonly clock: Clock;
  /** Called before the first byte is wanted: the client may wait for `100 Continue`. */
  readonly wanted: () => void;
  /** No more is wanted for now, or more is again. */
  readonly hold: () => void;
  readonly flow: () => void;
  /** The body broke off for a reason that the client must be told. */
  readonly failed: (error: FulcrumError) => void;
}

/** A request's body on its way to an instance: counted, watched while somebody wants it, and never held in memory whole. */
export class RequestBody implements BodySource {
  readonly lengthBytes: number | null;
  readonly #options: RequestBodyOptions;
  readonly #watch: TransferWatch;
  #state: BodyState = 'unread';
  #reader: BodyReader | null = null;
  #error: FulcrumError | null = null;
  #receivedBytes = 0;
  /** What came while nobody wanted it: at most what one read of the socket gives, for that is held then. */
  #waiting: Buffer[] = [];
  #isWhole = false;

  constructor(options: RequestBodyOptions) {
    this.#options = options;
    this.lengthBytes = options.lengthBytes;
    this.#watch = new TransferWatch(options.watch);
  }

  /** What has come so far, thrown away or not. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  read(reader: BodyReader): void {
    if (this.#error !== null) {
      const error = this.#error;
      queueMicrotask(() => reader.fail(error));
      return;
    }
    if (this.#state !== 'unread') return;
    this.#reader = reader;
    this.#enter('flowing');
    if (!this.#isWhole) this.#options.wanted();
    this.#deliver();
  }

  pause(): void {
    if (this.#state !== 'flowing') return;
    this.#enter('paused');
    // At once: what came after this would have to be copied.
    if (!this.#isWhole) this.#options.hold();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#enter('flowing');
    this.#deliver();
  }

  cancel(): void {
    if (this.#state === 'ended' || this.#state === 'failed' || this.#state === 'discarding') return;
    this.#waiting = [];
    this.#enter('discarding');
    // A client that waits for `100 Continue` and never gets it sends nothing that could be thrown away.
    this.#options.flow();
  }

  /** Ends the body with `error`: its reader is told, and nothing follows. */
  fail(error: FulcrumError): void {
    if (this.#state === 'ended' || this.#state === 'failed') return;
    const reader = this.#state === 'discarding' ? null : this.#reader;
    this.#error = error;
    this.#waiting = [];
    this.#enter('failed');
    reader?.fail(error);
  }

  /**
   * A piece has come, as a view that holds until this returns.
   * @returns false where it was thrown away.
   */
  push(bytes: Buffer): boolean {
    if (this.#state === 'failed') return false;
    this.#receivedBytes += bytes.length;
    if (this.#receivedBytes > this.#options.limitBytes) {
      this.#break(this.#options.tooLarge(this.#options.limitBytes));
      return false;
    }
    if (this.#state === 'discarding') return false;
    if (this.#state === 'flowing' && this.#waiting.length === 0) {
      this.#reader!.data(bytes);
    } else {
      this.#waiting.push(Buffer.from(bytes));
      this.#options.hold();
    }
    return true;
  }

  /** All of it has come. */
  whole(): void {
    this.#isWhole = true;
    this.#watch.stop();
    if (this.#state === 'flowing') this.#deliver();
  }

  /** Looks whether it comes fast enough. */
  look(nowMs: number): void {
    const wrong = this.#watch.look(this.#receivedBytes, nowMs);
    if (wrong !== null) this.#break(new FulcrumError('body-timeout', `The request body ${wrong}.`));
  }

  #deliver(): void {
    while (this.#state === 'flowing' && this.#waiting.length > 0) this.#reader!.data(this.#waiting.shift()!);
    if (this.#state !== 'flowing') return;
    if (!this.#isWhole) return this.#options.flow();
    this.#enter('ended');
    this.#reader!.end();
  }

  #break(error: FulcrumError): void {
    this.fail(error);
    this.#options.failed(error);
  }

  #enter(state: BodyState): void {
    this.#state = state;
    if (state === 'flowing' && !this.#isWhole) {
      this.#watch.start(this.#receivedBytes, this.#options.clock.monotonicMs());
    } else {
      this.#watch.stop();
    }
  }
}

export function tooLarge(limitBytes: number): FulcrumError {
  return new FulcrumError(
    'body-too-large',
    `The request body may have ${formatBytes(limitBytes)} at most on this route.`,
  );
}

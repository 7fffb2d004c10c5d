import type { FulcrumError } from '../base/errors.ts';

/** Bytes that arrive, with back-pressure. It has one reader and begins to flow when that is given. */
export interface BodySource {
  /** Bytes to come where the sender said so; null where it is not known. */
  readonly lengthBytes: number | null;
  read(reader: BodyReader): void;
  pause(): void;
  resume(): void;
  /**
   * The reader wants no more. What still arrives is thrown away.
   * @param reason why, as whoever reads a component's stream has said it, in the encoding of components; most sources have no use for it.
   */
  cancel(reason?: Uint8Array): void;
}

export interface BodyReader {
  /** `chunk` is a view that holds until this returns: what is kept must be copied. */
  data(chunk: Uint8Array): void;
  end(): void;
  /** The body broke off: client gone, too large, too slow. Nothing follows. */
  fail(error: FulcrumError): void;
}

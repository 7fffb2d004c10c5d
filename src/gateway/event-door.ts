import { createHash, timingSafeEqual } from 'node:crypto';
import { FulcrumError } from '../base/errors.ts';

/** Where a release takes events over HTTP, and what takes them: as data, by whoever makes the release. */
export interface EventEntrance {
  /** Null: under every host of its app. */
  readonly host: string | null;
  /** An exact path, as its app's routes have it. */
  readonly path: string;
  /** What whoever sends events shows. */
  readonly token: string;
  readonly bodyLimitBytes: number;
  /**
   * Takes what a request has brought. Resolves when it is kept, all or nothing, with the ids.
   * @param fields of the request, name, value, …: end-to-end ones. @param traceparent of the request: of the events that name no trace of their own.
   * Rejects with a FulcrumError.
   */
  take(fields: readonly string[], body: Uint8Array, traceparent: string): Promise<readonly string[]>;
}

/** Whether who asks has shown the token. */
export type Shown = 'right' | 'wrong' | 'none';

/** The door to it: lets in who has the token. */
export class EventDoor {
  readonly entrance: EventEntrance;
  readonly #digest: Buffer;

  constructor(entrance: EventEntrance) {
    this.entrance = entrance;
    this.#digest = digest(entrance.token);
  }

  /**
   * Looks at `Authorization: Bearer …` and at `access_token` in the query: CloudEvents webhooks 1.0.2, 3, ask receivers for both. What is
   * compared takes the same time however much of it is right.
   * Throws `bad-request` where a token is shown in two places (RFC 6750, 2).
   */
  shown(fields: readonly string[], query: string): Shown {
    const tokens = [...bearersIn(fields), ...new URLSearchParams(query).getAll('access_token')];
    if (tokens.length > 1) throw new FulcrumError('bad-request', 'A token is shown once, in one place.');
    const [token] = tokens;
    if (token === undefined) return 'none';
    return timingSafeEqual(digest(token), this.#digest) ? 'right' : 'wrong';
  }
}

/** Of each `Authorization` field what it shows; of another scheme than Bearer, nothing that could be right. */
function bearersIn(fields: readonly string[]): string[] {
  const found: string[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]!.toLowerCase() !== 'authorization') continue;
    found.push(/^bearer +([^ ]+) *$/i.exec(fields[i + 1]!)?.[1] ?? '');
  }
  return found;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

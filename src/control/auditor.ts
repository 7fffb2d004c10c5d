import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { AuditEntry, AuditStore } from '../model/audit-store.ts';
import { FailureLimit } from './failure-limit.ts';

const MAX_DETAILS_BYTES = 4_096;
const MAX_TEXT = 300;
const MAX_ITEMS = 20;
const MAX_ACTORS = 1_000;

/**
 * Writes down who changed what. The log is kept for ever, and whoever may ask for a change can ask for one that fails as often as they like:
 * of each actor's failures only so many are written, and how many were left out stands in the next entry, as `unwritten`.
 */
export class Auditor {
  readonly #store: AuditStore | null;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #failures: FailureLimit;
  /** By actor. */
  readonly #unwritten = new Map<string, number>();

  constructor(store: AuditStore | null, clock: Clock, logger: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#failures = new FailureLimit(clock);
  }

  /** Never rejects: what has been done stays done, and that it could not be written down is for the log. */
  async record(entry: Omit<AuditEntry, 'atMs'>): Promise<void> {
    const unwritten = this.#unwritten.get(entry.actor) ?? 0;
    if (entry.outcome === 'failed') {
      if (this.#failures.waitMs(entry.actor) > 0) {
        this.#unwritten.set(entry.actor, unwritten + 1);
        if (this.#unwritten.size > MAX_ACTORS) this.#unwritten.delete(this.#unwritten.keys().next().value!);
        return;
      }
      this.#failures.failed(entry.actor);
    }
    this.#unwritten.delete(entry.actor);
    const details = { ...bounded(entry.details), ...(unwritten > 0 ? { unwritten } : {}) };
    try {
      await this.#store?.append({ ...entry, atMs: this.#clock.nowMs(), details });
    } catch (error) {
      const { actor, action, app, outcome } = entry;
      this.#logger.error(
        { actor, action, app, outcome, error: messageOf(error) },
        'a change could not be written to the audit log',
      );
    }
  }
}

/** `details` in at most 4 KB as JSON: long texts and lists are cut, and where that is not enough all is left out. */
function bounded(details: AuditEntry['details']): AuditEntry['details'] {
  const short = Object.fromEntries(Object.entries(details).map(([key, value]) => [key, cut(value)]));
  return Buffer.byteLength(JSON.stringify(short)) <= MAX_DETAILS_BYTES ? short : { tooLong: true };
}

function cut(value: unknown): unknown {
  if (typeof value === 'string' && value.length > MAX_TEXT) return `${value.slice(0, MAX_TEXT)}…`;
  if (!Array.isArray(value)) return value;
  const items = value.slice(0, MAX_ITEMS).map(cut);
  return value.length > MAX_ITEMS ? [...items, `… ${value.length - MAX_ITEMS} more`] : items;
}

import type { Clock } from '../base/clock.ts';
import type { LogEntry, LogSink } from '../model/log.ts';

/** What the platform writes into one component's log: why its instances come and go. */
export class Journal {
  readonly #component: string;
  readonly #clock: Clock;
  readonly #log: LogSink;

  constructor(component: string, clock: Clock, log: LogSink) {
    this.#component = component;
    this.#clock = clock;
    this.#log = log;
  }

  note(
    level: LogEntry['level'],
    text: string,
    about: { readonly id: string; readonly revision: { readonly id: string } } | null = null,
    fields: LogEntry['fields'] = null,
  ): void {
    this.#log.write({
      atMs: this.#clock.nowMs(),
      component: this.#component,
      stream: 'platform',
      level,
      text,
      instance: about?.id ?? null,
      revision: about?.revision.id ?? null,
      requestId: null,
      fields,
    });
  }
}

import type { Clock } from '../base/clock.ts';
import type { FulcrumError } from '../base/errors.ts';
import type { LogEntry, LogSink } from '../model/log.ts';
import type { Decision } from '../model/status.ts';
import { Decisions } from './decisions.ts';

interface Subject {
  readonly id: string;
  readonly revision: { readonly id: string };
}

/** What the platform writes into the log of one component, or group: why its instances come and go. The latest of that is also kept. */
export class Journal {
  readonly #component: string;
  readonly #clock: Clock;
  readonly #log: LogSink;
  readonly #decisions = new Decisions();

  constructor(component: string, clock: Clock, log: LogSink) {
    this.#component = component;
    this.#clock = clock;
    this.#log = log;
  }

  /** The oldest first. */
  get decisions(): readonly Decision[] {
    return this.#decisions.all();
  }

  starts(one: Subject, reason: string): void {
    this.#decided('start', one, reason);
    this.note('info', `instance ${one.id} starts: ${reason}`, one);
  }

  /** Its start came to nothing. */
  startFailed(one: Subject, error: FulcrumError): void {
    this.#decided('end', one, `start failed: ${error.message}`);
    this.note('error', error.message, one, error.details);
  }

  /** @param crashed whether nobody had wanted its end. */
  ended(one: Subject, crashed: boolean, reason: string, fields: LogEntry['fields']): void {
    this.#decided('end', one, crashed ? `ended unexpectedly: ${reason}` : reason);
    const how = crashed ? 'ended unexpectedly' : 'ended';
    this.note(crashed ? 'warn' : 'info', `instance ${one.id} ${how}: ${reason}`, one, fields);
  }

  /** @param component whose log it is, where that is a member's. */
  note(
    level: LogEntry['level'],
    text: string,
    about: Subject | null = null,
    fields: LogEntry['fields'] = null,
    component: string = this.#component,
  ): void {
    this.#log.write({
      atMs: this.#clock.nowMs(),
      component,
      stream: 'platform',
      level,
      text,
      instance: about?.id ?? null,
      revision: about?.revision.id ?? null,
      requestId: null,
      fields,
    });
  }

  #decided(kind: Decision['kind'], { id }: Subject, reason: string): void {
    this.#decisions.add({ atMs: this.#clock.nowMs(), instance: id, kind, reason });
  }
}

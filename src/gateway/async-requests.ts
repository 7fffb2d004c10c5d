import type { AppEvents } from '../model/app-events.ts';

/** Who asks: found out only where limits tell clients apart. */
export interface AsyncEntrant {
  readonly client: string | null;
}

/** What takes the requests that clients ask for asynchronously, of one app. */
export interface AsyncRequests extends Pick<AppEvents, 'later' | 'answer'> {
  /**
   * Lets a client ask for an invocation of a component, or for what became of one: throws `rate-limited` or `switched-off` where the
   * component's limits say no.
   */
  admit(component: string, asks: 'for-it' | 'for-its-answer', entrant: AsyncEntrant): void;
}

/** What is kept for a component to be done, as scaling sees it. */
export interface WaitingWork {
  /** Invocations that it would make: batches. */
  readonly waiting: number;
  /** How long the oldest of it has been due; 0 where nothing waits. */
  readonly oldestMs: number;
  /** Invocations with such work that have been begun and are not over. */
  readonly underWay: number;
}

/** Decides how much of the kept work may be begun. Implemented by `scaling/`. */
export interface WorkWindow {
  /**
   * Invocations with kept work that the component may have under way now, those that are included; 0 where it may have none.
   * A function's grows with how much waits and for how long; a service's is what its replicas have room for.
   */
  workWindow(component: string, work: WaitingWork): number;
}

import type { Attempt, AttemptError, WorkKind } from './event.ts';

/**
 * One event for one component: a row of its own, with its data. States, and what leads from one to the next:
 *
 *   delayed ── due ──▶ ready ──lease──▶ leased ── done ──▶ (gone)
 *      └── due, its key is taken ──▶ blocked ──the one before is done or dead──▶ ready
 *   leased ── to be tried again ──▶ ready (due later) · leased ── given up ──▶ dead ── retry, redrive ──▶ ready
 *   leased ── its node is gone ──▶ ready
 *   unmatched (no component takes it) ── a component does, redrive ──▶ ready | blocked
 *
 * Of one (app, component, key) at most one is `ready` or `leased`: the oldest; the others are `blocked`. A `delayed` one takes its place
 * among them when it is due.
 */
export type WorkState = 'delayed' | 'ready' | 'blocked' | 'leased' | 'dead' | 'unmatched';

/** What is kept of a piece of work, without its data. Times are epoch ms. */
export interface WorkRecord {
  readonly app: string;
  /** Empty while it is `unmatched`. */
  readonly component: string;
  /** Of the event: the same for each component that it is for. A second event of an id that is kept is a duplicate. */
  readonly id: string;
  readonly kind: WorkKind;
  readonly type: string;
  readonly source: string;
  readonly subject: string | null;
  readonly key: string | null;
  readonly timeMs: number;
  readonly contentType: string;
  /** CloudEvents extension attributes, and what else the kind of work needs; JSON text. */
  readonly attributes: string;
  readonly dataBytes: number;
  readonly publishedAtMs: number;
  readonly state: WorkState;
  /** `delayed`, `ready`: when it may be delivered. `dead`, `unmatched`: when it is forgotten. */
  readonly dueAtMs: number;
  /** Deliveries that were begun. */
  readonly attempt: number;
  /** The latest that did not go well, the oldest first; at most {@link KEPT_ATTEMPTS}. */
  readonly attempts: readonly Attempt[];
}

export const KEPT_ATTEMPTS = 20;

/** A piece of work that a node has leased. */
export interface Delivery extends WorkRecord {
  readonly data: Uint8Array;
}

/** An event to be kept: one row for each of `components`, or one that is `unmatched`. */
export interface NewWork {
  readonly app: string;
  readonly components: readonly string[];
  readonly id: string;
  /** The id was made for this very commit, at random: whether there is one of it already is not looked for. Absent: it is. */
  readonly isIdFresh?: true;
  readonly kind: WorkKind;
  readonly type: string;
  readonly source: string;
  readonly subject: string | null;
  readonly key: string | null;
  readonly timeMs: number;
  readonly contentType: string;
  readonly attributes: string;
  readonly data: Uint8Array;
  readonly publishedAtMs: number;
  /** Later than `publishedAtMs`: it is `delayed` until then. */
  readonly dueAtMs: number;
  /** An unmatched one is forgotten then. */
  readonly forgetAtMs: number;
  /** A second one of the same key until then is a duplicate, and is not kept. */
  readonly dedupe: { readonly key: string; readonly untilMs: number } | null;
  /** Its outcome is kept, and can be asked for by its id until then; null: nobody will ask. For one component only. */
  readonly answerUntilMs: number | null;
  /** Components for which the node that publishes it takes it at once, leased, where nothing of its key is in the way. */
  readonly leaseFor: readonly string[];
}

export interface KeptWork {
  /** Of a duplicate, the first one's. */
  readonly id: string;
  readonly duplicate: boolean;
  /** Of `leaseFor`: those for which this node has it now, at attempt 1. */
  readonly leased: readonly string[];
}

/** How a delivery ended. It counts only where its lease was still held (same node, same attempt). */
export interface Settlement {
  readonly app: string;
  readonly component: string;
  readonly id: string;
  readonly attempt: number;
  readonly outcome: SettledAs;
}

export type SettledAs =
  /** Done with. `answer`: of work whose outcome is asked for. */
  | { readonly as: 'done'; readonly answer: WorkAnswer | null }
  /** Again at `dueAtMs`. `counts` false: nothing was wrong with it, and the attempt is not counted. */
  | {
      readonly as: 'again';
      readonly dueAtMs: number;
      readonly counts: boolean;
      readonly attempt: Attempt | null;
    }
  /** Given up: kept with its last error until `forgetAtMs`. */
  | {
      readonly as: 'dead';
      readonly forgetAtMs: number;
      readonly attempt: Attempt;
      readonly answer: WorkAnswer | null;
    };

/** The outcome of asynchronous work. */
export interface WorkAnswer {
  /** An `Outcome` of an invocation. */
  readonly outcome: string;
  /** Of a request, the answer's; 0 of all else. */
  readonly status: number;
  /** A request's answer: its fields, a JSON list of name, value, …; null of all else. */
  readonly fields: string | null;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly error: AttemptError | null;
}

export interface KeptAnswer {
  readonly app: string;
  readonly id: string;
  readonly component: string;
  readonly kind: WorkKind;
  readonly type: string;
  readonly state: 'waiting' | 'done' | 'failed';
  readonly createdAtMs: number;
  /** Null while it waits. */
  readonly endedAtMs: number | null;
  readonly forgetAtMs: number;
  readonly answer: WorkAnswer | null;
}

export interface EventChange {
  /** Who leases. */
  readonly node: string;
  readonly nowMs: number;
  readonly publish: readonly NewWork[];
  readonly settle: readonly Settlement[];
}

export interface EventChanged {
  /** As `publish`. */
  readonly published: readonly KeptWork[];
  /** As `settle`: false where the lease was lost, and nothing has changed. */
  readonly settled: readonly boolean[];
}

export interface LeaseOrder {
  readonly app: string;
  readonly component: string;
  readonly node: string;
  readonly nowMs: number;
  /** Rows, at least 1. */
  readonly limit: number;
  /** No more once their data is as large together; the first comes however large it is. */
  readonly maxBytes: number;
  /** Rows that all nodes together may have leased; null: no bound. */
  readonly mostLeased: number | null;
}

/** Who leases, and what it has said last of how long it lives: epoch ms by its own clock. */
export interface LeaseNode {
  readonly node: string;
  /** Null: it has leases, and has never said that it lives. 0: it has ended, and said so. */
  readonly aliveUntilMs: number | null;
}

/** What waits for a component. Counts stop at {@link COUNTED}: a backlog of a million costs no more to ask about. */
export interface Backlog {
  readonly component: string;
  /** `ready` and due, or `delayed` and due: the next lease has those join. */
  readonly ready: number;
  /** When the oldest of those became due; null: there is none. */
  readonly oldestDueAtMs: number | null;
  /** When the next `ready` or `delayed` one becomes due that is not yet; null: none will. */
  readonly nextDueAtMs: number | null;
  readonly leased: number;
  /** Of '' the unmatched: they wait for a component. */
  readonly blocked: number;
  /** `delayed`, and those that are `ready` and due later: to be tried again. */
  readonly delayed: number;
  readonly dead: number;
}

export const COUNTED = 10_000;

/** Which pieces of work: all that is given must hold. */
export interface WorkFilter {
  readonly app: string;
  /** Empty: the unmatched. */
  readonly component?: string | undefined;
  readonly type?: string | undefined;
  readonly state?: WorkState | undefined;
  readonly key?: string | undefined;
  readonly ids?: readonly string[] | undefined;
}

/** A place in a list: behind the row that has these. */
export interface WorkPlace {
  readonly publishedAtMs: number;
  readonly id: string;
  readonly component: string;
}

export interface EventStore {
  /** Publishes and settles in one transaction, which outlives a loss of power. Rejects with `store-failed`; then nothing has changed. */
  commit(change: EventChange): Promise<EventChanged>;
  /** Due work, the longest due first; what was `delayed` and is due joins first. */
  lease(order: LeaseOrder): Promise<readonly Delivery[]>;
  /** This node lives. To be said before it leases, and again and again: of a node that is not known, nothing holds. @param aliveUntilMs by its own clock. */
  beat(node: string, aliveUntilMs: number): Promise<void>;
  /** All that have said that they live, or have leases. Whether one has ended, whoever asks must decide: see `LeaseHolder`. */
  nodes(): Promise<readonly LeaseNode[]>;
  /**
   * Makes the work of nodes that have ended ready again, and forgets them. @returns how much it was.
   * @param ended one that has said something else meanwhile lives. Or all but one: it alone can live.
   */
  reclaim(ended: readonly LeaseNode[] | { readonly allBut: string }): Promise<number>;
  /** Of every component of the app that something is kept for; '' is the unmatched. */
  backlog(app: string, nowMs: number): Promise<readonly Backlog[]>;

  /** Newest first. */
  list(filter: WorkFilter, before: WorkPlace | null, limit: number): Promise<readonly WorkRecord[]>;
  /** One for each component that it is kept for. */
  get(app: string, id: string): Promise<readonly Delivery[]>;
  count(filter: WorkFilter): Promise<number>;
  /** `dead` ones of the filter, and those that wait for their next attempt, are due now, with their attempts counted anew. @returns how many, at most `limit`. */
  retry(filter: WorkFilter, nowMs: number, limit: number): Promise<number>;
  /** Forgets what is not leased. @returns how many, at most `limit`. */
  drop(filter: WorkFilter, limit: number): Promise<number>;
  /**
   * Gives `dead` and `unmatched` ones to another component; where the filter names a state (of a component that is no more), those that are in
   * it and not leased. What the other has already of an event stays as it is. @returns how many, at most `limit`.
   */
  redrive(filter: WorkFilter, to: string, nowMs: number, limit: number): Promise<number>;
  /** Unmatched events of this type go to `components`, one row each. @returns how many events, at most `limit`. */
  match(
    app: string,
    type: string,
    components: readonly string[],
    nowMs: number,
    limit: number,
  ): Promise<number>;
  /** The types of unmatched events, at most `limit`. */
  unmatchedTypes(app: string, limit: number): Promise<readonly string[]>;

  /** The outcome of asynchronous work; null: there is none of this id, or it is forgotten. */
  answer(app: string, id: string): Promise<KeptAnswer | null>;
  /** Forgets what is to be forgotten by then, by steps. @returns what of `dead` and `unmatched` work was forgotten. */
  prune(nowMs: number): Promise<number>;
  /** All that is kept of an app's events and schedules, by steps. */
  removeAll(app: string): Promise<void>;
}

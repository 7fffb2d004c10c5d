import { FulcrumError } from '../../base/errors.ts';
import type {
  ArrivalBlock,
  InstanceMinute,
  JoinedCalls,
  UsageBatch,
  UsageGap,
  UsageMinute,
  UsageRow,
  UsageStore,
  UsageWriter,
} from '../../model/usage-store.ts';

/** Keeps parts as the port demands: the last state of each. */
export class PartsStore {
  readonly minutes = new Map<string, UsageMinute>();
  readonly blocks = new Map<string, ArrivalBlock>();
  readonly rows = new Map<string, UsageRow>();
  readonly writers = new Map<string, UsageWriter>();
  readonly instances = new Map<string, InstanceMinute>();
  readonly calls = new Map<string, JoinedCalls>();
  readonly gaps: UsageGap[] = [];
  appends = 0;
  largestBatch = 0;
  mostAtOnce = 0;
  #underWay = 0;
  fails = false;
  storesAnyway = false;
  hangs = false;
  told: (batch: UsageBatch) => void = () => undefined;

  readonly append = async (batch: UsageBatch): Promise<void> => {
    this.appends++;
    this.told(batch);
    this.largestBatch = Math.max(this.largestBatch, batch.minutes.length);
    if (this.hangs) return new Promise(() => undefined);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay);
    await new Promise((resolve) => setImmediate(resolve));
    this.#underWay--;
    if (!this.fails || this.storesAnyway) {
      for (const minute of batch.minutes) this.minutes.set(minute.part, minute);
      for (const block of batch.arrivals) this.blocks.set(block.part, block);
      for (const row of batch.rows) this.rows.set(row.part, row);
      for (const minute of batch.instances) this.instances.set(minute.part, minute);
      for (const calls of batch.joinedCalls) this.calls.set(calls.part, calls);
      if (batch.writer?.closed === false) this.writers.set(batch.writer.id, batch.writer);
      else if (batch.writer !== null) this.writers.delete(batch.writer.id);
    }
    if (this.fails) throw new FulcrumError('store-failed', 'The disk is full.');
  };

  /** Only what a meter calls is here. */
  get port(): UsageStore {
    const port: Pick<UsageStore, 'append' | 'prune' | 'writers' | 'bury'> = {
      append: this.append,
      prune: async () => undefined,
      writers: async () => [...this.writers.values()],
      bury: async (_, id, gap) => {
        if (this.writers.get(id)?.wroteMs !== gap.fromMs) return false;
        this.gaps.push(gap);
        return this.writers.delete(id);
      },
    };
    return port as UsageStore;
  }

  count(): number {
    return sum([...this.minutes.values()].map((minute) => minute.count));
  }

  arrivals(): number {
    return sum([...this.blocks.values()].map((block) => block.count));
  }
}

function sum(list: readonly number[]): number {
  return list.reduce((total, value) => total + value, 0);
}

/** The machine's monotonic clock, in ms: the same in every process, and finer than what tells the time of day. */
export function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export interface Sent {
  readonly sentMs: number;
  readonly filling: string;
}

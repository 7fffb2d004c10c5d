import { CallLines, type CallLinesOptions } from '../meter/call-lines.ts';
import type { CallSink } from '../model/calls.ts';

/** Where the calls of an app go: each is counted by all of `books`, and leaves a line in the log of the server. */
export function callsOf(books: readonly CallSink[], options: CallLinesOptions): CallSink {
  const all = [...books, new CallLines(options)];
  return {
    record(call) {
      for (const one of all) one.record(call);
    },
  };
}

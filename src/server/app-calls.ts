import { CallLines, type CallLinesOptions } from '../meter/call-lines.ts';
import type { CallSink } from '../model/calls.ts';

/** Where the calls of an app go: each is counted in its book, and leaves a line in the log of the server. */
export function callsOf(book: CallSink, options: CallLinesOptions): CallSink {
  const lines = new CallLines(options);
  return {
    record(call) {
      book.record(call);
      lines.record(call);
    },
  };
}

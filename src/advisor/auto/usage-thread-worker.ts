import { parentPort, workerData } from 'node:worker_threads';
import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import { OwnReader } from '../own/own-reader.ts';
import type { OwnUsage } from '../own/own-usage.ts';
import { addLine } from '../own/read-own-usage.ts';
import { answerOf } from './unit-answer.ts';
import type { ThreadOrder, ThreadReply } from './usage-thread.ts';

const reader = new OwnReader(workerData as ReadonlyMap<string, readonly string[]>);
let usage: OwnUsage | null = null;

parentPort!.on('message', (order: ThreadOrder) => parentPort!.postMessage(replyTo(order), []));

function replyTo(order: ThreadOrder): ThreadReply {
  try {
    if (order.kind === 'ask') {
      if (usage === null) throw new FulcrumError('internal', 'The usage has not been read yet.');
      return { kind: 'answer', answer: answerOf(usage, order.question) };
    }
    for (const line of order.lines) addLine(reader, line);
    if (reader.ended) usage = reader.finish();
    return { kind: 'taken' };
  } catch (thrown) {
    const { code, message } = asFulcrumError(thrown);
    return { kind: 'failed', code, message };
  }
}

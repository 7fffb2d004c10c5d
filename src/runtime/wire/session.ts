import type { FulcrumError } from '../../base/errors.ts';
import type { ThrownError } from '../../model/invocation.ts';
import type { ConnectionHandler, WireConnection } from './connection.ts';
import { FRAME } from './frames.ts';
import {
  readCallHead,
  readJson,
  readLog,
  readReady,
  type Init,
  type LogFrame,
  type Ready,
} from './messages.ts';
import type { OutboundCalls } from './outbound-calls.ts';
import { protocolError } from './protocol-error.ts';
import type { WireStream } from './stream.ts';
import { readThrown } from './thrown.ts';

export type Introduction =
  | { readonly kind: 'ready'; readonly ready: Ready }
  /** The module could not be loaded: what it threw. */
  | { readonly kind: 'init-failed'; readonly thrown: ThrownError }
  /** The connection broke before either. */
  | { readonly kind: 'lost'; readonly error: FulcrumError | null };

/** What concerns an instance's connection as a whole, at the server's end, from WELCOME on. */
export class Session implements ConnectionHandler {
  /** Resolves when the instance has said that it is ready, or why not. */
  readonly introduced: Promise<Introduction>;
  readonly #calls: OutboundCalls;
  readonly #onLog: (line: LogFrame) => void;
  readonly #introduce: (introduction: Introduction) => void;
  #state: 'loading' | 'introduced' = 'loading';

  /** @param init null: the instance knows already what it is to run, and gets no WELCOME. */
  constructor(
    connection: WireConnection,
    init: Init | null,
    calls: OutboundCalls,
    onLog: (line: LogFrame) => void,
  ) {
    this.#calls = calls;
    this.#onLog = onLog;
    const { promise, resolve } = Promise.withResolvers<Introduction>();
    this.introduced = promise;
    this.#introduce = resolve;
    connection.handler = this;
    if (init !== null) {
      connection.writer.json(FRAME.WELCOME, 0, 0, init);
      connection.flush();
    }
    void connection.closed.then((error) => {
      calls.close();
      resolve({ kind: 'lost', error });
    });
  }

  control(type: number, _flags: number, payload: Buffer): void {
    if (type === FRAME.LOG) return this.#onLog(readLog(payload));
    if (this.#state !== 'loading')
      throw protocolError(`frame of type ${type} from an instance that is ready`);
    if (type === FRAME.READY) {
      this.#introduce({ kind: 'ready', ready: readReady(payload) });
    } else if (type === FRAME.INIT_FAILED) {
      const thrown = readThrown(readJson(payload));
      if (thrown === null) throw protocolError('an INIT_FAILED without an error');
      this.#introduce({ kind: 'init-failed', thrown });
    } else {
      throw protocolError(`frame of type ${type} from an instance that is loading`);
    }
    this.#state = 'introduced';
  }

  opened(stream: WireStream, type: number, _flags: number, payload: Buffer): void {
    if (type !== FRAME.CALL) throw protocolError('a REQUEST from an instance');
    this.#calls.opened(stream, readCallHead(payload));
  }
}

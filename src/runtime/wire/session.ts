import type { FulcrumError } from '../../base/errors.ts';
import type { ThrownError } from '../../model/invocation.ts';
import { readCall } from './call-frame.ts';
import type { CalledIntake } from './called-intake.ts';
import type { ConnectionHandler, WireConnection } from './connection.ts';
import { FRAME } from './frames.ts';
import { readJson, readLog, type Init, type LogFrame, type Ready } from './messages.ts';
import type { OutboundCalls } from './outbound-calls.ts';
import { protocolError } from './protocol-error.ts';
import { readReady } from './read-ready.ts';
import type { WireStream } from './stream.ts';
import { readThrown } from './thrown.ts';

export type Introduction =
  | { readonly kind: 'ready'; readonly ready: Ready }
  /** A module could not be loaded: what it threw, and, of a group, whose it is. */
  | { readonly kind: 'init-failed'; readonly thrown: ThrownError; readonly member: string | null }
  /** The connection broke before either. */
  | { readonly kind: 'lost'; readonly error: FulcrumError | null };

/** What concerns an instance's connection as a whole, at the server's end, from WELCOME on. */
export class Session implements ConnectionHandler {
  /** Resolves when the instance has said that it is ready, or why not. */
  readonly introduced: Promise<Introduction>;
  readonly #calls: OutboundCalls;
  readonly #called: CalledIntake | null;
  readonly #members: readonly string[] | null;
  readonly #onLog: (line: LogFrame) => void;
  readonly #introduce: (introduction: Introduction) => void;
  #state: 'loading' | 'introduced' = 'loading';

  /**
   * @param init null: the instance knows already what it is to run, and gets no WELCOME.
   * @param members of a group.
   */
  constructor(
    connection: WireConnection,
    init: Init | null,
    calls: OutboundCalls,
    onLog: (line: LogFrame) => void,
    members: readonly string[] | null = null,
  ) {
    this.#members = members;
    this.#calls = calls;
    this.#onLog = onLog;
    this.#called = calls.calledIntake((text) =>
      onLog({ stream: 'stderr', level: 'warn', requestId: null, text }),
    );
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

  /** How many invocations wait for what they have called. */
  get calling(): number {
    return this.#calls.calling;
  }

  control(type: number, flags: number, payload: Buffer): void {
    if (type === FRAME.LOG) return this.#onLog(readLog(flags, payload));
    if (type === FRAME.CALLED) return this.#calledWithin(payload);
    if (this.#state !== 'loading')
      throw protocolError(`frame of type ${type} from an instance that is ready`);
    if (type === FRAME.READY) {
      this.#introduce({ kind: 'ready', ready: readReady(payload, this.#members) });
    } else if (type === FRAME.INIT_FAILED) {
      const told = readJson(payload);
      const thrown = readThrown(told);
      if (thrown === null) throw protocolError('an INIT_FAILED without an error');
      const member = this.#members?.find((name) => name === told['member']) ?? null;
      this.#introduce({ kind: 'init-failed', thrown, member });
    } else {
      throw protocolError(`frame of type ${type} from an instance that is loading`);
    }
    this.#state = 'introduced';
  }

  #calledWithin(payload: Buffer): void {
    if (this.#called === null) throw protocolError('a CALLED from an instance of one component');
    this.#called.take(payload);
  }

  opened(stream: WireStream, type: number, flags: number, payload: Buffer): void {
    if (type !== FRAME.CALL) throw protocolError('a REQUEST from an instance');
    this.#calls.opened(stream, readCall(flags, payload));
  }
}

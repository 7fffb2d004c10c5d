import { MAX_CALL_DEPTH } from '../../model/calls.ts';

/** What either end of a connection may ask of the other. Whoever asks for more breaks the protocol. */

/** Payload of any frame. Of DATA alone it is not held, but passed on in pieces. */
export const MAX_FRAME_BYTES = 1024 * 1024;
/** A frame before the peer has shown its token. */
export const MAX_HELLO_BYTES = 4 * 1024;
/** A request's or response's head. */
export const MAX_HEAD_BYTES = 256 * 1024;
/** The CALL of a request through a service binding: its head, and who asks. */
export const MAX_FETCH_BYTES = 2 * MAX_HEAD_BYTES;
/** Payload of one DATA frame that we gather with others. */
export const MAX_DATA_BYTES = 128 * 1024;
/** Arguments or result of a call. */
export const MAX_PAYLOAD_BYTES = 10 * 1024 * 1024;
/** Arguments of calls that one instance has half sent, all together. */
export const MAX_ASSEMBLED_BYTES = 64 * 1024 * 1024;
/** Events that one instance publishes at a time, all together: of each the data is held until it is kept. */
export const MAX_PUBLISHING_BYTES = 32 * 1024 * 1024;
/** Any of an event's texts but its data. */
export const MAX_EVENT_TEXT_LENGTH = 1_024;
/** What a handler says of one message, as a line. */
export const MAX_SAID_LENGTH = 8 * 1024;
/** Body of an answer that is sent whole, in one frame. */
export const MAX_ANSWER_BODY_BYTES = 16 * 1024;
/** Bytes of a body that may be on their way in one stream before the receiver asks for more. */
export const WINDOW_BYTES = 256 * 1024;
/** The same of a body that was said to be long. */
export const LONG_WINDOW_BYTES = 1024 * 1024;
/** No stream is ever owed more than this, whatever the peer grants. */
export const MAX_CREDIT_BYTES = 16 * 1024 * 1024;
/** How long a call may take that no invocation has made (code at a module's top level, work left behind). */
export const ORPHAN_TIMEOUT_MS = 30_000;
/** Calls that an instance may have under way. */
export const MAX_INSTANCE_STREAMS = 256;
/** Steps of a chain of calls that either end tells the other of. */
export const MAX_PATH_STEPS = MAX_CALL_DEPTH + 1;
/** The name of a component or of a function in such a step, in a record of a call and with a line of the log. */
export const MAX_NAME_LENGTH = 1_024;
/** Records of calls that an instance has made within its process and not yet told, as bytes. */
export const MAX_CALLED_BYTES = 256 * 1024;
/** Of such records, as many of one instance are read in a second, and at once. */
export const MAX_CALLED_PER_S = 50_000;
/** Streams that it may have open beside them: those that it passes, and calls that are answered but for the streams in what they returned. */
export const MAX_INSTANCE_CHANNELS = 256;
/** Streams and signals in the arguments or in the result of one call. */
export const MAX_CALL_CHANNELS = 32;
/** What the reader of a component's stream says of why it wants no more. */
export const MAX_REASON_BYTES = 64 * 1024;
/** Named functions of a module. */
export const MAX_FUNCTIONS = 1_000;
/** Where Node's inspector listens. */
export const MAX_INSPECT_URL_LENGTH = 512;
/** Errors in a chain of causes that cross the wire. */
export const MAX_CAUSES = 8;

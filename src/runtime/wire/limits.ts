/** What either end of a connection may ask of the other. Whoever asks for more breaks the protocol. */

/** Payload of any frame. Of DATA alone it is not held, but passed on in pieces. */
export const MAX_FRAME_BYTES = 1024 * 1024;
/** A frame before the peer has shown its token. */
export const MAX_HELLO_BYTES = 4 * 1024;
/** A request's or response's head. */
export const MAX_HEAD_BYTES = 256 * 1024;
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
/** Calls that an instance may have under way. */
export const MAX_INSTANCE_STREAMS = 256;
/** Named functions of a module. */
export const MAX_FUNCTIONS = 1_000;
/** Errors in a chain of causes that cross the wire. */
export const MAX_CAUSES = 8;

/**
 * The wire between the server and an instance: frames of many streams over one Unix socket. Both ends speak the same
 * format. Integers are little-endian; text is UTF-8 where it is JSON or a log line, else Latin-1, as in HTTP.
 *
 * Every frame is a header of ten bytes and a payload:
 *
 *   offset 0  u32  payload's length
 *   offset 4  u8   type
 *   offset 5  u8   flags
 *   offset 6  u32  stream: 0 the connection's own, odd opened by the server, even opened by the instance
 *
 *   type            from    payload
 *   ── the connection ──────────────────────────────────────────────────────────────────────────────────────────────
 *     1 HELLO       inst.   JSON { major, minor, instance, token }; the first frame, whose form never changes
 *     2 WELCOME     server  JSON Init
 *     3 READY       inst.   JSON { handlers, inspectUrl }
 *     4 INIT_FAILED inst.   JSON ThrownError
 *     5 PING        both    u32, sent back in a
 *     6 PONG        both    u32
 *     7 LOG         inst.   u8 stream (0 stdout, 1 stderr), u8 level, u8 length of request id, request id, text
 *     8 GO_AWAY     server  nothing: event streams are to end, the rest may finish
 *   ── a stream's opening, by whoever opens it ─────────────────────────────────────────────────────────────────────
 *    16 REQUEST     server  u32 ms left, u8 trigger, text: method, URL, request id, traceparent, then name, value, …
 *                           with NUL between them. Flag 1: a body follows.
 *                           Flag 2, from minor version 1 on: to become a WebSocket. The body of either side is then the
 *                           connection's bytes, and the answer a RESPONSE with 101, or another one that refuses
 *    17 CALL        both    JSON CallHead; its payload follows as the body. From minor version 2 on an instance publishes an event
 *                           by one of kind `publish`: the body is the event's data, the answer's body JSON { id, duplicate }
 *   ── within a stream ─────────────────────────────────────────────────────────────────────────────────────────────
 *    18 RESPONSE    inst.   u16 status, text: name, value, … with NUL between them. Flag 1: a body follows.
 *                           Flag 2, from minor version 1 on: to become a WebSocket. The body of either side is then the
 *                           connection's bytes, and the answer a RESPONSE with 101, or another one that refuses
 *    19 DATA        both    bytes of a body, never more than the receiver has granted
 *    20 BODY_END    both    nothing
 *    21 BODY_FAILED opener  text: why the body broke off
 *    22 BODY_STOP   answ.   nothing: the body is not wanted; what still comes is thrown away
 *    23 WINDOW      both    u32: that many bytes more of the body may be sent (at first 256 KB)
 *    24 ABORT       opener  text: an error's code
 *   ── a stream's end, by whoever answers it ───────────────────────────────────────────────────────────────────────
 *    25 DONE        answ.   u32 µs of CPU time; ends the answer's body too, where BODY_END has not
 *    26 FAILED      answ.   JSON Failure
 *    27 ANSWER      inst.   u16 status, u32 µs of CPU time, u32 length of the fields, the fields as in RESPONSE, the body (16 KB at
 *                           most, and outside of the stream's credit): RESPONSE, DATA and DONE in one. Minor version 1
 *
 * What answers a CALL of kind `queue` is, from minor version 2 on, a line of JSON { id, as, afterMs } for each thing that the handler says of a
 * message, sent when it says it; as text { acked, retried } at the end before.
 *
 * A stream is over with DONE, FAILED or ANSWER. The opener's own frames may cross it on the way, so the answerer throws away
 * DATA, BODY_END, BODY_FAILED, WINDOW and ABORT for a stream that it does not know. The opener gets nothing after it:
 * any frame for an unknown stream of its own is an error. A stream's number may be used again when it is over.
 *
 * Versions: HELLO tells the instance's; the server refuses a major version that it does not know and answers with the
 * lower minor version, which both then speak. Within one major version fields of JSON may be added, and frames of type
 * 128 and above, which whoever does not know them throws away. So an old revision's instance outlives an upgrade.
 */
export const PROTOCOL_MAJOR = 1;
export const PROTOCOL_MINOR = 2;

/** The first minor version in which an instance may send ANSWER, and may be asked for a WebSocket. */
export const ANSWER_MINOR = 1;
/** The first in which an instance may publish, and says of each message what is to become of it when its handler does. */
export const EVENT_MINOR = 2;

export const HEADER_BYTES = 10;

export const FRAME = {
  HELLO: 1,
  WELCOME: 2,
  READY: 3,
  INIT_FAILED: 4,
  PING: 5,
  PONG: 6,
  LOG: 7,
  GO_AWAY: 8,
  REQUEST: 16,
  CALL: 17,
  RESPONSE: 18,
  DATA: 19,
  BODY_END: 20,
  BODY_FAILED: 21,
  BODY_STOP: 22,
  WINDOW: 23,
  ABORT: 24,
  DONE: 25,
  FAILED: 26,
  ANSWER: 27,
} as const;

/** Frames of this type and above may be thrown away by whoever does not know them. */
export const FIRST_OPTIONAL_TYPE = 128;

/** On REQUEST and RESPONSE: a body follows. */
export const FLAG_BODY = 1;
/** On REQUEST: the connection asks to become a WebSocket. */
export const FLAG_UPGRADE = 2;

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
 *     3 READY       inst.   JSON { handlers, members, inspectUrl }
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
 *                           Flag 8, minor version 3: of a function, in text: f64 ms left, u32 stream of the invocation that calls (0: none), u8 trigger,
 *                           u32 length of the text, u32 length of the body (all of it is granted at once), the text, UTF-8: function, to, from, component, request id, traceparent, and component and function of
 *                           each step of the path, with NUL between them; what there is none of is empty.
 *                           Flag 16, with flag 8: then the payload (16 KB at most, and outside of the stream's credit), and no body
 *   ── within a stream ─────────────────────────────────────────────────────────────────────────────────────────────
 *    18 RESPONSE    answ.   u16 status, text: name, value, … with NUL between them. Flag 1: a body follows.
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
 *    27 ANSWER      answ.   u16 status, u32 µs of CPU time, u32 length of the fields, the fields as in RESPONSE, the body (16 KB at
 *                           most, and outside of the stream's credit): RESPONSE, DATA and DONE in one. Minor version 1
 *                           Of a CALL with flag 8, by either: u32 µs of CPU time, the value (16 KB at most): DATA and DONE in one
 *
 *    28 CHANNEL     opener  u32 stream of the call, u16 number: a stream or signal among that call's arguments or in its result, whose bytes
 *                           follow as the body; whoever has it opens this. The other ends it with DONE, at the latest when the body has ended;
                           what it sends before is why it wants no more. BODY_FAILED says JSON { code, message } here. All of a call's
                           are opened before BODY_END of its arguments or its result, by number from 0 on. Minor version 3
 *   ── the connection, minor version 3 ─────────────────────────────────────────────────────────────────────────────
 *    29 CALLED      inst.   calls that a group's instance has made within its process, and that are over: u32 how many more there were than
 *                           could be told, u16 count of texts, each a u16 length and UTF-8; then, for each call, 40 bytes:
 *                           u16 from, u16 to, u16 function, u16 code, u16 request id (numbers of texts, from 0; 0xffff: none), u8 outcome (0 ok,
 *                           1 handler-error, 2 timeout, 3 crashed, 4 cancelled, 5 refused, 6 bad-response), u8 depth, u32 u32 its span, u32 u32
 *                           that of whoever made it, f64 ms since the epoch when it was made, u32 µs that it took
 *    30 VIA_SERVER  server  JSON { members }: calls of these, and of no others, come to the server from now on
 *
 * Minor version 3: flag 4 of REQUEST and LOG, and `component` of CALL, name the member of the group that is meant. The text of such a REQUEST
 * begins with its name, NUL, the chain of calls that has led to it (see chain-text.ts), NUL; that of a LOG, behind the request id, with the name
 * and NUL. The CALL of a group's instance tells who of it calls (`from`), and, where that was called within the process itself, the steps from the
 * invocation to it (`path`), the trace there (`traceparent`) and what it has left, where that is less (`remainingMs`).
 *
 * A CALL from an instance may be of kind `fetch` from minor version 3 on, a request through a service binding: its head is JSON FetchHead in
 * `request`, its body follows, and it is answered as a REQUEST is, with RESPONSE or ANSWER by the server. ABORT gives it up at any time: the
 * server then ends the stream at once. What it ends with before a RESPONSE is thrown to the author, and after one breaks the body off.
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
export const PROTOCOL_MINOR = 3;

/** The first minor version in which an instance may send ANSWER, and may be asked for a WebSocket. */
export const ANSWER_MINOR = 1;
/** The first in which an instance may publish, and says of each message what is to become of it when its handler does. */
export const EVENT_MINOR = 2;

/** The first in which an instance may hold a group, and calls may pass streams and signals, and be HTTP requests. */
export const COMPOSE_MINOR = 3;

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
  CHANNEL: 28,
  CALLED: 29,
  VIA_SERVER: 30,
} as const;

/** Frames of this type and above may be thrown away by whoever does not know them. */
export const FIRST_OPTIONAL_TYPE = 128;

/** On REQUEST and RESPONSE: a body follows. */
export const FLAG_BODY = 1;
/** On REQUEST: the connection asks to become a WebSocket. */
export const FLAG_UPGRADE = 2;
/** On REQUEST and LOG: the text names the member of the group that is meant. */
export const FLAG_MEMBER = 4;
/** On CALL: the head is text, and not JSON. */
export const FLAG_TEXT = 8;
/** On CALL: the payload follows the head in the same frame, and nothing after it. */
export const FLAG_WHOLE = 16;

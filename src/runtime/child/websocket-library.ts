import type { IncomingMessage } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import type { WireSocket } from './wire-socket.ts';

/** A larger message is refused with 1009. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

const protocols = new WeakMap<IncomingMessage, string | undefined>();

// Compression is off: it costs each connection hundreds of kilobytes, and has been the way in for more than one attack.
const server = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_BYTES,
  handleProtocols: (offered, request) => {
    const wanted = protocols.get(request);
    return wanted !== undefined && offered.has(wanted) ? wanted : false;
  },
});

/**
 * Answers the client's handshake on `socket` and speaks the WebSocket protocol there from then on. Where the client's request is none,
 * the library answers it so, and `opened` is never called.
 * @param protocol the one of those that the client offers which the author has chosen.
 */
export function acceptWebSocket(
  request: { readonly method: string; readonly headers: Iterable<[string, string]> },
  socket: WireSocket,
  protocol: string | undefined,
  opened: (webSocket: WebSocket) => void,
): void {
  const message = {
    method: request.method,
    headers: Object.fromEntries(request.headers),
  } as unknown as IncomingMessage;
  protocols.set(message, protocol);
  server.handleUpgrade(message, socket, Buffer.alloc(0), opened);
}

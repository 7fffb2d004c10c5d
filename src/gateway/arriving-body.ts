import type { Exchange } from './exchange.ts';
import type { GatewayParts } from './parts.ts';
import { RequestBody, type RequestBodyOptions } from './request-body.ts';
import type { RequestStream } from './request-stream.ts';

/** The body of `exchange`'s request, on its way. */
export function bodyOf(
  parts: GatewayParts,
  stream: RequestStream,
  exchange: Exchange,
  limitBytes: number,
  tellTooLarge: RequestBodyOptions['tooLarge'],
): RequestBody {
  const { bodyIdleMs: idleMs, minBytesPerS, minRateGraceMs } = parts.limits;
  return new RequestBody({
    lengthBytes: exchange.request.bodyBytes,
    limitBytes,
    tooLarge: tellTooLarge,
    watch: { idleMs, minBytesPerS, minRateGraceMs },
    clock: parts.clock,
    wanted: () => exchange.continue(),
    hold: () => stream.hold(exchange),
    flow: () => stream.flow(exchange),
    failed: (error) => exchange.bodyBroken(error),
  });
}

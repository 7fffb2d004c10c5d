import { formatBytes } from '../base/bytes.ts';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import type { Admission } from './admission.ts';
import type { EventDoor } from './event-door.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayParts } from './parts.ts';
import type { RequestStream } from './request-stream.ts';
import { withWholeBody } from './whole-body.ts';

const ALLOW = ['Allow', 'POST, OPTIONS'] as const;
/** RFC 6750, 3: who shows no token is told the scheme; who shows a wrong one, that it is. */
const NO_TOKEN = ['WWW-Authenticate', 'Bearer realm="events"'] as const;
const WRONG_TOKEN = ['WWW-Authenticate', 'Bearer realm="events", error="invalid_token"'] as const;

/**
 * Answers a request for where events are taken: CloudEvents webhooks 1.0.2. 202 with their ids once all of them are kept; what is refused
 * has left nothing behind.
 */
export async function takeEvents(
  parts: GatewayParts,
  stream: RequestStream,
  exchange: Exchange,
  admission: Admission,
  door: EventDoor,
): Promise<void> {
  try {
    switch (exchange.request.method) {
      case 'POST':
        await deliver(parts, stream, exchange, admission, door);
        break;
      case 'OPTIONS':
        exchange.reply(200, [...ALLOW, ...permission(admission)]);
        break;
      default:
        exchange.refuse(
          new FulcrumError('method-not-allowed', 'Events are sent here with POST, and nothing else is done.'),
          ALLOW,
        );
    }
  } catch (error) {
    if (!(error instanceof FulcrumError))
      parts.logger.error({ err: error, requestId: exchange.requestId }, 'events could not be taken');
    exchange.refuse(asFulcrumError(error));
  }
  exchange.release();
}

async function deliver(
  parts: GatewayParts,
  stream: RequestStream,
  exchange: Exchange,
  { fields, query, traceparent }: Admission,
  door: EventDoor,
): Promise<void> {
  const { entrance } = door;
  const shown = door.shown(fields.passed, query);
  if (shown !== 'right') {
    const message =
      shown === 'none' ? 'Events are taken here with a token.' : 'The token is not the one that is set here.';
    return exchange.refuse(
      new FulcrumError('unauthorized', message),
      shown === 'none' ? NO_TOKEN : WRONG_TOKEN,
    );
  }
  const coding = theOnly('Content-Encoding', fields.passed);
  if (coding !== null && coding.toLowerCase() !== 'identity') {
    const message = `Events that are compressed (Content-Encoding: ${coding.slice(0, 40)}) are not taken: send them as they are.`;
    throw new FulcrumError('media-type-unsupported', message);
  }
  const o = { parts, stream, exchange, limitBytes: entrance.bodyLimitBytes, tooLarge };
  const ids = await withWholeBody(o, (body) => entrance.take(fields.passed, body, traceparent));
  exchange.answer(
    { status: 202, headers: ['Content-Type', 'application/json', 'Cache-Control', 'no-store'] },
    Buffer.from(JSON.stringify({ ids })),
  );
}

/**
 * Lets whoever asks send events (webhooks 1.0.2, 4): that protects others from being flooded by it, and opens nothing, for the token is
 * still asked for. A callback that it names is not called: anybody could have this server ask for any address.
 */
function permission({ fields }: Admission): readonly string[] {
  const origin = theOnly('WebHook-Request-Origin', fields.passed);
  if (origin === null) return [];
  if (!/^[A-Za-z0-9*.:/_-]{1,255}$/.test(origin))
    throw new FulcrumError('bad-request', 'WebHook-Request-Origin holds no DNS name.');
  return ['WebHook-Allowed-Origin', origin, 'WebHook-Allowed-Rate', '*', 'Vary', 'WebHook-Request-Origin'];
}

/** The value of a field; null: there is none. Throws `bad-request` where there are two. */
function theOnly(name: string, fields: readonly string[]): string | null {
  const lower = name.toLowerCase();
  let found: string | null = null;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]!.toLowerCase() !== lower) continue;
    if (found !== null)
      throw new FulcrumError('bad-request', `A request has one ${name} field, not several.`);
    found = fields[i + 1]!;
  }
  return found;
}

function tooLarge(limitBytes: number): FulcrumError {
  return new FulcrumError(
    'body-too-large',
    `Events may have ${formatBytes(limitBytes)} at most in one request. Send several batches.`,
  );
}

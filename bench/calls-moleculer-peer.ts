import { ServiceBroker, type BrokerOptions, type Context } from 'moleculer';
import { measureCalls, type Measured } from './calls-app/measure.ts';
import { makeValues, type Item, type Sku } from './calls-app/values.ts';
import type { PeerHello, PeerOrder } from './calls-peers.ts';
import { serveLines } from './line-process.ts';

/** Largest argument in JSON, which the transporter speaks. */
const MOST_BYTES = 64 * 1024 * 1024;
const HOST = '127.0.0.1';

/** The part of a node that no type tells. */
interface Registry {
  readonly nodes: { readonly localNode: { hostname: string; port: number } };
}

/** In JSON a buffer becomes a list of numbers. */
type Bytes = Uint8Array | { readonly data: readonly number[] };

const CALLEE = {
  name: 'callee',
  actions: {
    small: ({ params: { sku, quantity } }: Context<Sku>) => ({ cents: sku.length * quantity }),
    objects: ({ params }: Context<{ items: readonly Item[] }>) => ({ cents: params.items.length }),
    bytes: ({ params: { bytes } }: Context<{ bytes: Bytes }>) => ({
      cents: 'data' in bytes ? bytes.data.length : bytes.length,
    }),
  },
};

/**
 * A broker in a process of its own: `calls-moleculer-peer.ts callee`, `calls-moleculer-peer.ts caller PORT` with the callee's, or
 * `calls-moleculer-peer.ts local`, which is both.
 */
const [side, port] = process.argv.slice(2) as ['caller' | 'callee' | 'local', string | undefined];
if (side === 'callee') await serveCallee();
else await serveCaller(side === 'local' ? null : Number(port));
// Its timers hold the process up.
process.exit(0);

/** @param urls the nodes that are known from the beginning, as nobody is looked for in the network; null: there are none. */
function makeBroker(nodeID: string, urls: readonly string[] | null): ServiceBroker {
  const options: BrokerOptions = { nodeID, logger: false };
  if (urls === null) return new ServiceBroker(options);
  const broker = new ServiceBroker({
    ...options,
    transporter: {
      type: 'TCP',
      options: { udpDiscovery: false, maxPacketSize: MOST_BYTES, urls: urls.join(',') },
    },
  });
  // Where the other node finds it: by default by the machine's name, which may be that of another of its addresses.
  registryOf(broker).nodes.localNode.hostname = HOST;
  return broker;
}

function registryOf(broker: ServiceBroker): Registry {
  return broker.registry as unknown as Registry;
}

async function serveCallee(): Promise<void> {
  const broker = makeBroker('callee', []);
  broker.createService(CALLEE);
  await broker.start();
  const hello: PeerHello = { port: registryOf(broker).nodes.localNode.port };
  await serveLines(hello, async () => ({}));
}

/** Its action makes the calls. */
async function serveCaller(calleePort: number | null): Promise<void> {
  const broker = makeBroker('caller', calleePort === null ? null : [`tcp://${HOST}:${calleePort}/callee`]);
  if (calleePort === null) broker.createService(CALLEE);
  const { small, objects, bytes } = makeValues();
  const params = { small, objects: { items: objects }, bytes: { bytes: Buffer.from(bytes.buffer) } };
  broker.createService({
    name: 'caller',
    actions: {
      run: (context: Context<PeerOrder>): Promise<Measured> => {
        const { value } = context.params;
        return measureCalls(context.params, () => context.call(`callee.${value}`, params[value]));
      },
    },
  });
  await broker.start();
  await broker.waitForServices('callee');
  await serveLines(
    { port: 0 } satisfies PeerHello,
    async (order: PeerOrder): Promise<Measured> => await broker.call('caller.run', order),
  );
}

import { connect } from 'node:net';
import { closeSync } from 'node:fs';
import { systemClock } from '../../../src/base/clock.ts';
import { WireConnection } from '../../../src/runtime/wire/connection.ts';
import { FRAME, PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../../../src/runtime/wire/frames.ts';
import type { Hello } from '../../../src/runtime/wire/messages.ts';
import type { Attempt } from './attempt.ts';
import { sys } from './foreign.ts';

const AF_UNIX = 1;
const STREAM = 1;

function socket(family: number, type: number, protocol = 0): string {
  closeSync(sys('socket', family, type, protocol));
  return 'made';
}

/** A connection to a Unix socket by its path, or by its abstract name where that begins with a zero. */
function connectUnix(name: string): string {
  const address = Buffer.alloc(2 + Buffer.byteLength(name) + (name.startsWith('\0') ? 0 : 1));
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(name, 2);
  const descriptor = sys('socket', AF_UNIX, STREAM, 0);
  try {
    sys('connect', descriptor, address, address.length);
    return 'connected';
  } finally {
    closeSync(descriptor);
  }
}

function connectTcp(port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const attempt = connect({ port, host });
    attempt.once('connect', () => {
      attempt.destroy();
      resolve('connected');
    });
    attempt.once('error', reject);
  });
}

/** Shows `token` to the server, and tells what it did. */
function hello(path: string, token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const peer = connect(path);
    peer.once('error', reject);
    peer.once('close', () => resolve('shown out'));
    const connection = new WireConnection({
      socket: peer,
      side: 'instance',
      clock: systemClock,
      handler: {
        control: (type) => {
          if (type === FRAME.WELCOME) resolve('welcome');
        },
        opened: () => undefined,
      },
      maxPeerStreams: 1,
      maxFrameBytes: 65_536,
    });
    const text: Hello = { major: PROTOCOL_MAJOR, minor: PROTOCOL_MINOR, instance: 'i_expected', token };
    connection.writer.json(FRAME.HELLO, 0, 0, text);
    connection.flush();
  });
}

async function admin(port: number, headers: Record<string, string>): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/apps`, { headers });
  return String(response.status);
}

const UNREACHABLE = ['ECONNREFUSED', 'ENETUNREACH', 'EACCES', 'EAFNOSUPPORT'];
const NO_FAMILY = ['EAFNOSUPPORT'];

export const network: readonly Attempt[] = [
  // The server.
  {
    name: "use the server's socket without a token",
    refused: ['shown out'],
    run: ({ wireSocket }) => hello(wireSocket, ''),
  },
  {
    name: "use the server's socket with a guessed token",
    refused: ['shown out'],
    run: ({ wireSocket }) => hello(wireSocket, 'A'.repeat(43)),
  },
  {
    name: 'use the control socket of the command line',
    needs: 'files',
    refused: ['ENOENT', 'EACCES'],
    outside: 'connected',
    run: ({ controlSocket }) => connectUnix(controlSocket),
  },
  {
    name: 'use the admin port without a token',
    refused: ['401'],
    run: ({ adminPort }) => admin(adminPort, {}),
  },
  {
    name: 'use the admin port with a guessed token',
    refused: ['401'],
    run: ({ adminPort }) => admin(adminPort, { authorization: 'Bearer admin' }),
  },
  {
    name: "use the admin port by a page's origin",
    refused: ['401', '403'],
    run: ({ adminPort }) => admin(adminPort, { origin: 'http://127.0.0.1', cookie: 'token=admin' }),
  },

  // Sockets.
  {
    name: 'reach an abstract socket of the host',
    refused: ['EPERM', 'ECONNREFUSED'],
    needs: 'scopes',
    outside: 'connected',
    run: ({ abstractName }) => connectUnix(`\0${abstractName}`),
  },
  { name: 'a packet socket', refused: NO_FAMILY, run: () => socket(17, 3, 0x0300) },
  { name: 'a raw Internet socket', refused: ['EPERM'], run: () => socket(2, 3, 1) },
  { name: 'a raw IPv6 socket', refused: ['EPERM'], run: () => socket(10, 3, 58) },
  {
    name: 'a socket to the machine around this one (vsock)',
    refused: NO_FAMILY,
    run: () => socket(40, STREAM),
  },
  { name: "a socket to the kernel's ciphers", refused: NO_FAMILY, run: () => socket(38, 5) },
  { name: 'a socket of key management', refused: NO_FAMILY, run: () => socket(15, 3, 2) },
  { name: 'a Bluetooth socket', refused: NO_FAMILY, run: () => socket(31, 3, 1) },
  {
    name: 'a TIPC socket pair',
    refused: NO_FAMILY,
    run: () => (sys('socketpair', 30, 1, 0, Buffer.alloc(8)), 'made'),
  },
];

/** With `network: 'none'`. */
export const noNetwork: readonly Attempt[] = [
  {
    name: 'reach a port of the host',
    refused: UNREACHABLE,
    outside: 'connected',
    run: ({ adminPort }) => connectTcp(adminPort, '127.0.0.1'),
  },
  { name: 'reach the metadata address', refused: UNREACHABLE, run: () => connectTcp(80, '169.254.169.254') },
  { name: 'reach an address outside', refused: UNREACHABLE, run: () => connectTcp(53, '192.0.2.1') },
  {
    name: 'reach an abstract socket of the host from another network',
    refused: ['EPERM', 'ECONNREFUSED'],
    run: ({ abstractName }) => connectUnix(`\0${abstractName}`),
  },
  {
    name: "see the host's addresses",
    // Where a filter stands for the namespace, they cannot even be asked for.
    refused: ['none', 'ERR_SYSTEM_ERROR'],
    run: () => {
      const found = Object.keys(process.getBuiltinModule('node:os').networkInterfaces());
      return found.every((name) => name === 'lo') ? 'none' : found.join(' ');
    },
  },
];

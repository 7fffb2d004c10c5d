/**
 * What of the host's system every sandbox sees, read-only: programs and libraries, and what resolvers, TLS and time zones
 * read. Nothing of `/home`, `/root`, `/var`, `/run`, `/srv`, `/opt` and no other app.
 */
export const SYSTEM_FOLDERS: readonly string[] = [
  '/usr',
  // Links into /usr on most systems.
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc/ssl',
  '/etc/pki',
  '/etc/ca-certificates',
  '/etc/alternatives',
];

/** Of these, keys that only root may read: a component that runs as root, for want of a user of its own, may not. */
export const PRIVATE_FOLDERS: readonly string[] = ['/etc/ssl/private', '/etc/pki/tls/private'];

export const SYSTEM_FILES: readonly string[] = [
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/host.conf',
  '/etc/nsswitch.conf',
  '/etc/gai.conf',
  '/etc/services',
  '/etc/protocols',
  '/etc/localtime',
  '/etc/timezone',
  '/etc/mime.types',
  '/etc/ld.so.cache',
];

export const DEVICES: readonly { readonly name: string; readonly major: number; readonly minor: number }[] = [
  { name: 'null', major: 1, minor: 3 },
  { name: 'zero', major: 1, minor: 5 },
  { name: 'full', major: 1, minor: 7 },
  { name: 'random', major: 1, minor: 8 },
  { name: 'urandom', major: 1, minor: 9 },
];

/** An empty file in the sandbox's tree, laid over files that are hidden. */
export const MASK_FILE = '/etc/.empty';

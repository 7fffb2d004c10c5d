import {
  appendFileSync,
  chmodSync,
  closeSync,
  fchmodSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import type { Attempt } from './attempt.ts';
import { sys } from './foreign.ts';

const UNSEEN = ['ENOENT', 'EACCES'];
const UNWRITABLE = ['EROFS', 'EACCES'];
const AT_FDCWD = -100;

function read(path: string): string {
  readFileSync(path);
  return 'read';
}

function list(path: string): string {
  readdirSync(path);
  return 'listed';
}

function write(path: string): string {
  appendFileSync(path, 'x');
  return 'written';
}

function open(path: string): string {
  closeSync(openSync(path, 'r+'));
  return 'opened';
}

const SETUID = 0o6755;

function onFile(path: string, change: (descriptor: number) => void): void {
  const descriptor = openSync(path, 'w');
  try {
    change(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** How a file comes to run as its owner. With mapped ids, the owner of what is stored may be root. */
const WAYS_TO_SETUID: readonly (readonly [name: string, make: (path: string) => void])[] = [
  ['chmod', (path) => onFile(path, () => chmodSync(path, SETUID))],
  ['fchmod', (path) => onFile(path, (descriptor) => fchmodSync(descriptor, SETUID))],
  ['fchmodat2', (path) => onFile(path, () => sys('fchmodat2', AT_FDCWD, path, SETUID, 0))],
  ['open', (path) => closeSync(openSync(path, 'wx', SETUID))],
  ['mknodat', (path) => sys('mknodat', AT_FDCWD, path, 0o100000 | SETUID, 0)],
  [
    'openat2',
    (path) => {
      // struct open_how: flags (O_CREAT, O_WRONLY), mode, resolve.
      const how = Buffer.from(BigUint64Array.of(0o101n, BigInt(SETUID), 0n).buffer);
      closeSync(sys('openat2', AT_FDCWD, path, how, how.length));
    },
  ],
];

export const files: readonly Attempt[] = [
  // The machine's.
  { name: 'read /etc/shadow', refused: UNSEEN, run: () => read('/etc/shadow') },
  { name: 'list /root', refused: UNSEEN, run: () => list('/root') },
  { name: 'list /home', refused: UNSEEN, outside: 'listed', run: () => list('/home') },
  { name: 'list /var/log', refused: UNSEEN, outside: 'listed', run: () => list('/var/log') },
  { name: 'list /run', refused: UNSEEN, outside: 'listed', run: () => list('/run') },
  { name: 'list /sys/fs/cgroup', refused: UNSEEN, outside: 'listed', run: () => list('/sys/fs/cgroup') },
  { name: 'list /boot', refused: UNSEEN, outside: 'listed', run: () => list('/boot') },
  {
    name: "read a file in the host's /tmp",
    refused: UNSEEN,
    outside: 'read',
    run: ({ outsideFile }) => read(outsideFile),
  },
  {
    name: 'reach it by /proc/self/root and upwards',
    refused: UNSEEN,
    outside: 'read',
    run: ({ outsideFile }) => read(`/proc/self/root/../../..${outsideFile}`),
  },
  {
    name: 'reach it by a link of its own',
    refused: UNSEEN,
    outside: 'read',
    run: ({ ownFolder, outsideFile }) => {
      const link = join(ownFolder, 'link');
      rmSync(link, { force: true });
      symlinkSync(outsideFile, link);
      return read(link);
    },
  },
  {
    name: 'reach it by the working folder and upwards',
    refused: UNSEEN,
    outside: 'read',
    run: ({ outsideFile }) => read(`../../../../../../../..${outsideFile}`),
  },
  { name: 'write /etc/passwd', refused: UNWRITABLE, run: () => write('/etc/passwd') },
  { name: 'make a file in /usr/bin', refused: UNWRITABLE, run: () => write('/usr/bin/escaped') },
  { name: 'make a folder in /', refused: UNWRITABLE, run: () => (mkdirSync('/escaped'), 'made') },
  { name: 'read /dev/mem', refused: UNSEEN, run: () => open('/dev/mem') },
  { name: 'read /dev/kmsg', refused: UNSEEN, run: () => open('/dev/kmsg') },
  { name: 'open the disk', refused: UNSEEN, run: () => open('/dev/vda') },
  { name: 'open /dev/kvm', refused: UNSEEN, run: () => open('/dev/kvm') },
  { name: 'open /dev/fuse', refused: UNSEEN, run: () => open('/dev/fuse') },
  { name: 'open /dev/net/tun', refused: UNSEEN, run: () => open('/dev/net/tun') },

  // Other components', and its own.
  {
    name: "read another component's bundle",
    refused: UNSEEN,
    outside: 'read',
    run: ({ otherBundle }) => read(otherBundle),
  },
  {
    name: "read the app's .env",
    refused: ['nothing in it', 'EACCES'],
    needs: 'files',
    outside: 'read',
    run: ({ hiddenFile }) => (readFileSync(hiddenFile).length > 0 ? 'read' : 'nothing in it'),
  },
  { name: 'write its own bundle', refused: UNWRITABLE, run: ({ ownBundle }) => write(ownBundle) },
  {
    name: 'truncate its own bundle',
    refused: UNWRITABLE,
    run: ({ ownBundle }) => (truncateSync(ownBundle), 'truncated'),
  },
  {
    name: 'delete its own bundle',
    refused: [...UNWRITABLE, 'EBUSY'],
    run: ({ ownBundle }) => (unlinkSync(ownBundle), 'deleted'),
  },
  {
    name: 'change the mode of its own bundle',
    refused: [...UNWRITABLE, 'EPERM'],
    needs: 'files',
    run: ({ ownBundle }) => (chmodSync(ownBundle, 0o777), 'changed'),
  },
  { name: 'write the runtime', refused: UNWRITABLE, run: ({ runtimeFile }) => write(runtimeFile) },
  {
    name: 'link its bundle into its temporary files',
    refused: ['EXDEV', 'EACCES', 'EPERM'],
    run: ({ ownBundle, ownFolder }) => (linkSync(ownBundle, join(ownFolder, 'bundle')), 'linked'),
  },

  // Temporary files.
  {
    name: "list a sibling's temporary files",
    kind: 'function',
    refused: UNSEEN,
    outside: 'listed',
    run: ({ siblingFolder }) => list(siblingFolder),
  },
  {
    name: "read a sibling's temporary file",
    kind: 'function',
    refused: UNSEEN,
    outside: 'read',
    run: ({ siblingFolder }) => read(join(siblingFolder, 'secret')),
  },
  {
    name: "write among a sibling's temporary files",
    kind: 'function',
    refused: UNSEEN,
    run: ({ siblingFolder }) => write(join(siblingFolder, 'planted')),
  },
  {
    name: "move a sibling's temporary files into its own",
    kind: 'function',
    refused: [...UNSEEN, 'EXDEV'],
    run: ({ siblingFolder, ownFolder }) => (renameSync(siblingFolder, join(ownFolder, 'moved')), 'moved'),
  },
  { name: 'list /tmp', kind: 'function', refused: UNSEEN, outside: 'listed', run: () => list('/tmp') },
  {
    name: 'leave a file in /tmp for the next instance',
    kind: 'function',
    refused: UNSEEN,
    run: () => write('/tmp/left'),
  },
  {
    name: 'write more into its temporary files than they hold',
    refused: ['ENOSPC'],
    needs: 'files',
    run: ({ ownFolder, tmpBytes }) => {
      const path = join(ownFolder, 'large');
      try {
        const piece = Buffer.alloc(1024 * 1024);
        for (let written = 0; written <= tmpBytes; written += piece.length) appendFileSync(path, piece);
        return 'written';
      } finally {
        rmSync(path, { force: true });
      }
    },
  },
  {
    name: 'make more temporary files than there may be',
    refused: ['ENOSPC'],
    needs: 'files',
    run: ({ ownFolder, tmpBytes }) => {
      const folder = join(ownFolder, 'many');
      mkdirSync(folder);
      try {
        for (let index = 0; index <= tmpBytes / 4096; index++) writeFileSync(join(folder, String(index)), '');
        return 'made';
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  },

  // Ways to root.
  ...WAYS_TO_SETUID.map(([name, make]): Attempt => ({
    name: `make a setuid file in storage by ${name}`,
    refused: name === 'openat2' ? ['ENOSYS'] : ['EPERM'],
    outside: 'made',
    run: ({ storage }) => {
      const path = join(storage, `setuid-${name}`);
      try {
        make(path);
        return (statSync(path).mode & 0o6000) === 0 ? 'made without' : 'made';
      } finally {
        rmSync(path, { force: true });
      }
    },
  })),
  {
    name: 'run a setuid program',
    refused: ['as itself'],
    run: ({ setuidProgram }) => {
      const effective = Number(execFileSync(setuidProgram, ['-u'], { encoding: 'utf8' }));
      return effective === process.getuid!() ? 'as itself' : `as ${effective}`;
    },
  },
  {
    name: 'become root by su',
    refused: ['1'],
    run: () => {
      try {
        execFileSync('/usr/bin/su', ['root', '-c', 'true'], { stdio: 'ignore', timeout: 10_000 });
        return 'root';
      } catch (error) {
        return String((error as { status: number }).status);
      }
    },
  },
  {
    name: 'make a device for the disk',
    refused: ['EPERM'],
    run: ({ ownFolder }) => {
      sys('mknodat', AT_FDCWD, join(ownFolder, 'disk'), 0o060000 | 0o600, (254 << 8) | 0);
      return 'made';
    },
  },
  {
    name: 'make a device for the memory',
    refused: ['EPERM'],
    run: ({ ownFolder }) => {
      sys('mknodat', AT_FDCWD, join(ownFolder, 'memory'), 0o020000 | 0o600, (1 << 8) | 1);
      return 'made';
    },
  },
  {
    name: 'open a file by a handle, around its path',
    refused: ['EPERM'],
    run: () => (sys('open_by_handle_at', AT_FDCWD, Buffer.alloc(136), 0), 'opened'),
  },
];

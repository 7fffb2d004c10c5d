import { readFileSync, writeFileSync } from 'node:fs';
import type { Attempt } from './attempt.ts';
import { addressOf, sys } from './foreign.ts';
import type { SyscallName } from '../../../src/runtime/native/syscall-numbers.ts';

const AT_FDCWD = -100;
const NEW_USER = 0x1000_0000;
const NEW_MOUNTS = 0x0002_0000;
const NEW_NETWORK = 0x4000_0000;

/** Refused by seccomp, whatever the arguments, and before they are looked at. */
function refusedCall(call: SyscallName, why: string, x64Only = false): Attempt {
  return {
    name: `${call}: ${why}`,
    refused: ['EPERM'],
    x64Only,
    run: () => (sys(call, 0, 0, 0, 0, 0, 0), 'done'),
  };
}

function write(path: string, text: string): string {
  writeFileSync(path, text);
  return 'written';
}

const UNWRITABLE = ['EACCES', 'EROFS', 'EPERM', 'ENOENT'];

export const kernel: readonly Attempt[] = [
  // The file tree.
  {
    name: 'mount: memory over its temporary files',
    refused: ['EPERM'],
    run: ({ ownFolder }) => (sys('mount', 'tmpfs', ownFolder, 'tmpfs', 0, null), 'mounted'),
  },
  {
    name: 'mount: its bundle, writable',
    refused: ['EPERM'],
    run: ({ ownBundle }) => (sys('mount', null, ownBundle, null, 32 | 4096, null), 'mounted'),
  },
  {
    name: 'mount: the control groups',
    refused: ['EPERM'],
    run: ({ ownFolder }) => (sys('mount', 'cgroup2', ownFolder, 'cgroup2', 0, null), 'mounted'),
  },
  { name: 'umount2: /tmp', refused: ['EPERM'], run: () => (sys('umount2', '/tmp', 2), 'unmounted') },
  { name: 'umount2: /proc', refused: ['EPERM'], run: () => (sys('umount2', '/proc', 2), 'unmounted') },
  {
    name: 'chroot: into its temporary files',
    refused: ['EPERM'],
    run: ({ ownFolder }) => (sys('chroot', ownFolder), 'changed'),
  },
  { name: 'pivot_root', refused: ['EPERM'], run: () => (sys('pivot_root', '.', '.'), 'changed') },
  {
    name: 'open_tree: a copy of /',
    refused: ['EPERM'],
    run: () => (sys('open_tree', AT_FDCWD, '/', 1), 'copied'),
  },
  refusedCall('fsopen', 'a file system of its own'),
  refusedCall('fsconfig', "another's settings"),
  refusedCall('fsmount', 'a mount of its own'),
  refusedCall('move_mount', 'moving a mount'),
  refusedCall('mount_setattr', 'making one writable'),
  refusedCall('fanotify_init', 'watching the file system'),
  refusedCall('quotactl', 'quotas'),
  refusedCall('swapon', 'swap'),
  refusedCall('acct', 'accounting'),

  // Namespaces.
  { name: 'unshare: a user namespace', refused: ['EPERM'], run: () => (sys('unshare', NEW_USER), 'made') },
  { name: 'unshare: mounts', refused: ['EPERM'], run: () => (sys('unshare', NEW_MOUNTS), 'made') },
  { name: 'unshare: a network', refused: ['EPERM'], run: () => (sys('unshare', NEW_NETWORK), 'made') },
  {
    name: 'clone: into a user namespace',
    refused: ['EPERM'],
    run: () => (sys('clone', NEW_USER | 17, 0, 0, 0, 0), 'made'),
  },
  {
    name: 'clone3: into a user namespace',
    refused: ['ENOSYS'],
    run: () => {
      const args = Buffer.alloc(88);
      args.writeBigUInt64LE(BigInt(NEW_USER), 0);
      sys('clone3', args, args.length);
      return 'made';
    },
  },
  refusedCall('setns', "joining another's"),
  {
    name: 'map itself to root',
    refused: UNWRITABLE,
    run: () => write('/proc/self/uid_map', '0 0 1'),
  },

  // The kernel.
  refusedCall('bpf', 'a program in the kernel'),
  refusedCall('perf_event_open', 'counters'),
  refusedCall('userfaultfd', 'page faults'),
  refusedCall('io_uring_setup', 'calls around the filter'),
  refusedCall('io_uring_enter', 'calls around the filter'),
  refusedCall('init_module', 'a module'),
  refusedCall('finit_module', 'a module'),
  refusedCall('delete_module', 'unloading one'),
  refusedCall('kexec_load', 'another kernel'),
  refusedCall('kexec_file_load', 'another kernel'),
  refusedCall('reboot', 'the end'),
  refusedCall('syslog', "the kernel's log"),
  refusedCall('personality', 'no address randomisation'),
  refusedCall('memfd_secret', 'memory that nobody sees'),
  refusedCall('iopl', 'ports', true),
  refusedCall('ioperm', 'ports', true),
  refusedCall('modify_ldt', 'segments', true),
  refusedCall('settimeofday', 'the time'),
  refusedCall('clock_settime', 'the time'),
  refusedCall('adjtimex', 'the time'),
  refusedCall('sethostname', "the host's name"),
  refusedCall('add_key', 'a keyring'),
  refusedCall('request_key', 'a keyring'),
  refusedCall('keyctl', 'a keyring'),
  { name: 'a call that is newer than the filter', refused: ['ENOSYS'], run: () => (sys(600), 'done') },
  {
    name: "getuid by x32's numbers",
    x64Only: true,
    refused: ['ENOSYS'],
    run: () => (sys(0x4000_0000 + 102), 'done'),
  },
  {
    name: 'type into a terminal (TIOCSTI)',
    refused: ['EPERM'],
    run: () => (sys('ioctl', 0, 0x5412, Buffer.from('x')), 'typed'),
  },
  {
    name: 'take the filter off by another',
    refused: ['EPERM'],
    run: () => {
      // One that allows everything: filters add up, and the strictest answer counts.
      const allow = Buffer.from([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
      const program = Buffer.alloc(16);
      program.writeUInt16LE(1, 0);
      program.writeBigUInt64LE(addressOf(allow), 8);
      sys('prctl', 22, 2, program, 0, 0);
      sys('ptrace', 16, 1, 0, 0);
      return 'taken off';
    },
  },

  // Its own rights.
  { name: 'become root', refused: ['EPERM', 'EINVAL'], run: () => (sys('setresuid', 0, 0, 0), 'root') },
  { name: "take root's group", refused: ['EPERM', 'EINVAL'], run: () => (sys('setresgid', 0, 0, 0), 'root') },
  {
    name: 'join groups',
    refused: ['EPERM'],
    run: () => (sys('setgroups', 1, Buffer.from([42, 0, 0, 0])), 'joined'),
  },
  {
    name: 'take capabilities',
    refused: ['EPERM'],
    run: () => {
      const header = Buffer.alloc(8);
      header.writeUInt32LE(0x20080522, 0);
      const data = Buffer.alloc(24);
      data.writeUInt32LE(1 << 21, 0);
      data.writeUInt32LE(1 << 21, 4);
      sys('capset', header, data);
      return 'taken';
    },
  },
  {
    name: 'hold a capability already',
    refused: ['none'],
    run: () => {
      const held = /^Cap(?:Prm|Eff|Inh|Amb):\s*0*([1-9a-f][0-9a-f]*)$/m.exec(
        readFileSync('/proc/self/status', 'utf8'),
      );
      return held === null ? 'none' : held[0];
    },
  },
  {
    name: 'gain rights by executing',
    refused: ['never'],
    run: () => (/^NoNewPrivs:\s*1$/m.test(readFileSync('/proc/self/status', 'utf8')) ? 'never' : 'may'),
  },

  // Settings of the kernel.
  {
    name: 'have core dumps run a program',
    refused: UNWRITABLE,
    run: () => write('/proc/sys/kernel/core_pattern', '|/tmp/escaped'),
  },
  {
    name: 'have modules loaded by a program',
    refused: UNWRITABLE,
    run: () => write('/proc/sys/kernel/modprobe', '/tmp/escaped'),
  },
  { name: 'press SysRq', refused: UNWRITABLE, run: () => write('/proc/sysrq-trigger', 'h') },
  {
    name: 'read the memory of the kernel',
    refused: UNWRITABLE,
    run: () => (readFileSync('/proc/kcore', { flag: 'r' }), 'read'),
  },
  {
    name: 'leave its control group',
    refused: UNWRITABLE,
    run: () => write('/sys/fs/cgroup/cgroup.procs', '0'),
  },

  // What outlives an instance.
  {
    name: 'leave shared memory for the next instance',
    kind: 'function',
    refused: ['EPERM'],
    run: () => (sys('shmget', 4711, 4096, 0o1600), 'left'),
  },
  {
    name: 'leave a message queue for the next instance',
    kind: 'function',
    refused: ['EPERM'],
    run: () => (sys('msgget', 4711, 0o1600), 'left'),
  },
  {
    name: 'leave a POSIX queue for the next instance',
    kind: 'function',
    refused: ['EPERM'],
    run: () => (sys('mq_open', 'left', 0o102, 0o600, null), 'left'),
  },
];

import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  writeFileSync,
} from 'node:fs';
import { unmask, type Attempt } from './attempt.ts';
import { addressOf, sys } from './foreign.ts';

const UNSEEN = ['ENOENT', 'EACCES', 'EPERM', 'ESRCH'];
const NO_SIGNAL = ['EPERM', 'ESRCH'];
const ZYGOTE = 1;
const PR_SET_DUMPABLE = 4;
const SIGTERM = 15;
const SIGKILL = 9;

function signal(pid: number): string {
  process.kill(pid, 'SIGTERM');
  return 'signalled';
}

function read(path: string): string {
  readFileSync(path);
  return 'read';
}

function openMemory(pid: number): string {
  closeSync(openSync(`/proc/${pid}/mem`, 'r'));
  return 'opened';
}

function readOther(pid: number): string {
  const into = Buffer.alloc(64);
  const local = Buffer.alloc(16);
  local.writeBigUInt64LE(addressOf(into), 0);
  local.writeBigUInt64LE(64n, 8);
  sys('process_vm_readv', pid, local, 1, local, 1, 0);
  return 'read';
}

/**
 * Whether the secret of which `masked` is the disguise stands in `memory`. The secret itself is nowhere written out while it is
 * looked for: it would find itself.
 */
function holds(memory: Buffer, masked: readonly number[]): boolean {
  const first = unmask(masked[0]!);
  for (let at = memory.indexOf(first); at >= 0; at = memory.indexOf(first, at + 1)) {
    if (masked.every((byte, index) => memory[at + index] === unmask(byte))) return true;
  }
  return false;
}

/** Whether it is anywhere in this process' own memory: what forks copy into it. */
function inOwnMemory(masked: readonly number[]): boolean {
  // What leaves no traces may not even look at itself; but it may change that.
  sys('prctl', PR_SET_DUMPABLE, 1, 0, 0, 0);
  const memory = openSync('/proc/self/mem', 'r');
  const piece = Buffer.alloc(1024 * 1024);
  const step = BigInt(piece.length - masked.length);
  let looked = 0n;
  try {
    for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (match === null) continue;
      const end = BigInt(`0x${match[2]}`);
      for (let at = BigInt(`0x${match[1]}`); at < end; at += step) {
        const rest = end - at;
        let count: number;
        try {
          count = readSync(memory, piece, 0, rest < piece.length ? Number(rest) : piece.length, at);
        } catch {
          // Pages that are not there.
          break;
        }
        looked += BigInt(count);
        if (holds(piece.subarray(0, count), masked)) return true;
      }
    }
  } finally {
    closeSync(memory);
  }
  if (looked < 1_000_000n) throw new Error('its own memory could not be read');
  return false;
}

export const processes: readonly Attempt[] = [
  // Seeing.
  {
    name: 'see another process in /proc',
    needs: 'files',
    refused: ['itself alone'],
    run: () => {
      const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
      const own = readlinkSync('/proc/self');
      return pids.every((pid) => pid === own) ? 'itself alone' : `${pids.length}`;
    },
  },
  {
    name: 'find a process by trying every number',
    kind: 'function',
    needs: 'processes',
    refused: ['none but its own tree'],
    run: ({ siblingPid }) => {
      const known = new Set([ZYGOTE, siblingPid, Number(readlinkSync('/proc/self'))]);
      let strangers = 0;
      for (let pid = 1; pid <= 40_000; pid++) {
        try {
          process.kill(pid, 0);
          if (!known.has(pid)) strangers++;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH' && !known.has(pid)) strangers++;
        }
      }
      return strangers === 0 ? 'none but its own tree' : `${strangers}`;
    },
  },
  {
    name: "read the server's environment",
    refused: UNSEEN,
    outside: 'read',
    run: ({ serverPid }) => read(`/proc/${serverPid}/environ`),
  },
  {
    name: "read the server's memory",
    refused: UNSEEN,
    outside: 'opened',
    run: ({ serverPid }) => openMemory(serverPid),
  },
  {
    name: "list the server's descriptors",
    needs: 'files',
    refused: UNSEEN,
    outside: 'listed',
    run: ({ serverPid }) => (readdirSync(`/proc/${serverPid}/fd`), 'listed'),
  },
  {
    name: "see what the server's descriptors are",
    refused: UNSEEN,
    outside: 'seen',
    run: ({ serverPid }) => (readlinkSync(`/proc/${serverPid}/fd/0`), 'seen'),
  },
  {
    name: "read another component's memory",
    kind: 'function',
    refused: UNSEEN,
    run: ({ otherPid }) => openMemory(otherPid),
  },
  {
    name: "read the zygote's memory",
    kind: 'function',
    refused: UNSEEN,
    run: () => openMemory(ZYGOTE),
  },
  {
    name: "read the zygote's environment",
    kind: 'function',
    refused: UNSEEN,
    run: () => read(`/proc/${ZYGOTE}/environ`),
  },
  {
    name: "list the zygote's descriptors",
    kind: 'function',
    refused: UNSEEN,
    run: () => (readdirSync(`/proc/${ZYGOTE}/fd`), 'listed'),
  },
  {
    name: "read the zygote's memory by process_vm_readv",
    kind: 'function',
    refused: ['EPERM'],
    run: () => readOther(ZYGOTE),
  },
  {
    name: "read a sibling's memory",
    kind: 'function',
    refused: UNSEEN,
    run: ({ siblingPid }) => openMemory(siblingPid),
  },
  {
    name: "read a sibling's memory by process_vm_readv",
    kind: 'function',
    refused: ['EPERM'],
    run: ({ siblingPid }) => readOther(siblingPid),
  },
  {
    name: "read the server's memory by process_vm_readv",
    refused: ['EPERM'],
    run: ({ serverPid }) => readOther(serverPid),
  },
  {
    name: "take a descriptor of the zygote's",
    kind: 'function',
    refused: ['EPERM', 'ESRCH'],
    run: () => {
      const zygote = sys('pidfd_open', ZYGOTE, 0);
      try {
        sys('pidfd_getfd', zygote, 0, 0);
      } finally {
        closeSync(zygote);
      }
      return 'taken';
    },
  },
  {
    name: 'trace the zygote',
    kind: 'function',
    refused: ['EPERM'],
    run: () => (sys('ptrace', 16, ZYGOTE, 0, 0), 'traced'),
  },
  {
    name: 'trace the server',
    refused: ['EPERM'],
    run: ({ serverPid }) => (sys('ptrace', 16, serverPid, 0, 0), 'traced'),
  },
  {
    name: 'compare descriptors with the zygote',
    kind: 'function',
    refused: ['EPERM'],
    run: () => (sys('kcmp', ZYGOTE, ZYGOTE, 0, 0, 0), 'compared'),
  },
  {
    name: "find the server's secret in its own memory",
    refused: ['absent'],
    run: ({ maskedSecret }) => (inOwnMemory(maskedSecret) ? 'found' : 'absent'),
  },
  {
    name: "find the server's secret in its own environment",
    refused: ['absent'],
    run: ({ maskedSecret }) => {
      sys('prctl', PR_SET_DUMPABLE, 1, 0, 0, 0);
      const now = Buffer.from(JSON.stringify(process.env));
      const atFirst = readFileSync('/proc/self/environ');
      return holds(now, maskedSecret) || holds(atFirst, maskedSecret) ? 'found' : 'absent';
    },
  },
  {
    name: "find the server's secret in the server's environment",
    refused: UNSEEN,
    outside: 'found',
    run: ({ serverPid, maskedSecret }) =>
      holds(readFileSync(`/proc/${serverPid}/environ`), maskedSecret) ? 'found' : 'absent',
  },

  // Signals.
  { name: 'end the zygote', kind: 'function', refused: NO_SIGNAL, run: () => signal(ZYGOTE) },
  {
    name: 'end a sibling',
    kind: 'function',
    refused: NO_SIGNAL,
    run: ({ siblingPid }) => signal(siblingPid),
  },
  { name: 'end the server', refused: NO_SIGNAL, run: ({ serverPid }) => signal(serverPid) },
  {
    name: 'end another component',
    kind: 'function',
    refused: NO_SIGNAL,
    run: ({ otherPid }) => signal(otherPid),
  },
  {
    name: 'end the zygote by a descriptor',
    kind: 'function',
    refused: NO_SIGNAL,
    run: () => {
      const zygote = sys('pidfd_open', ZYGOTE, 0);
      try {
        sys('pidfd_send_signal', zygote, SIGTERM, null, 0);
      } finally {
        closeSync(zygote);
      }
      return 'signalled';
    },
  },
  {
    name: 'end a thread of a sibling',
    kind: 'function',
    refused: NO_SIGNAL,
    run: ({ siblingPid }) => (sys('tgkill', siblingPid, siblingPid, SIGKILL), 'signalled'),
  },
  {
    name: 'end all that it may signal',
    kind: 'function',
    refused: ['the sibling lives'],
    run: ({ siblingPid }) => {
      // It succeeds where there was something to signal, although each by itself was refused.
      try {
        sys('kill', -1, SIGKILL);
        sys('kill', siblingPid, 0);
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'EPERM'
          ? 'the sibling lives'
          : 'the sibling is gone';
      }
      return 'signalled';
    },
  },

  // Harm by settings that the kernel lets a user change of all its processes.
  {
    name: "take the zygote's descriptors away by a limit",
    kind: 'function',
    refused: ['EPERM'],
    run: () => (sys('prlimit64', ZYGOTE, 7, Buffer.alloc(16), null), 'limited'),
  },
  {
    name: "take a sibling's CPUs away",
    kind: 'function',
    refused: ['EPERM'],
    run: ({ siblingPid }) => (
      sys('sched_setaffinity', siblingPid, 8, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])),
      'set'
    ),
  },
  {
    name: 'make a sibling wait for everybody else',
    kind: 'function',
    refused: ['EPERM'],
    run: ({ siblingPid }) => (sys('setpriority', 0, siblingPid, 19), 'set'),
  },
  {
    name: 'make all processes of its user wait for everybody else',
    refused: ['EPERM'],
    run: () => (sys('setpriority', 2, 0, 19), 'set'),
  },
  {
    name: "hold up a sibling's disk",
    kind: 'function',
    refused: ['EPERM'],
    run: ({ siblingPid }) => (sys('ioprio_set', 1, siblingPid, 3 << 13), 'set'),
  },
  {
    name: 'live on after its parent',
    refused: ['EPERM'],
    run: () => (sys('prctl', 1, 0, 0, 0, 0), 'set'),
  },
  {
    name: 'be the last that the kernel kills for memory',
    refused: ['EACCES', 'EPERM'],
    run: () => (writeFileSync('/proc/self/oom_score_adj', '-1000'), 'written'),
  },

  // Descriptors.
  {
    name: 'inherit a descriptor of its parents',
    refused: ['none'],
    run: ({ wires }) => {
      const strange = readdirSync('/proc/self/fd')
        .filter((name) => Number(name) > 2)
        .map((name) => {
          try {
            return readlinkSync(`/proc/self/fd/${name}`).replace(/\d+/g, 'N');
          } catch {
            // The descriptor by which they are listed.
            return LISTED_BY;
          }
        })
        .filter((kind) => !EXPECTED.has(kind));
      const sockets = strange.filter((kind) => kind === 'socket:[N]').length;
      return strange.length === wires && sockets === wires ? 'none' : strange.join(' ');
    },
  },
];

/** What every Node holds beside the standard streams: pipes, an eventfd and an epoll for each of its loops. */
const LISTED_BY = '/proc/N/fd';
const EXPECTED = new Set([
  LISTED_BY,
  '/dev/null',
  'pipe:[N]',
  'anon_inode:[eventfd]',
  'anon_inode:[eventpoll]',
]);

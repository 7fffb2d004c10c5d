import { ANSWER, assemble, AUDIT_ARCH, DATA, type Step } from '../native/bpf.ts';
import { LAST_KNOWN_SYSCALL, syscallNumber, type Arch, type SyscallName } from '../native/syscall-numbers.ts';

/**
 * What user code may not ask of the kernel: a list of what is refused rather than of what is allowed, because a component
 * is any program, and because namespaces, Landlock and an own user without capabilities stand behind it. What is listed is
 * either never needed by one, or a way to other processes of the same user, or a part of the kernel that attackers like.
 */
export interface SeccompSettings {
  /**
   * System V and POSIX queues, semaphores and shared memory. Refused in functions: they outlive the instance that made them,
   * and the next one could read them. The IPC namespace bounds them for everything else.
   */
  readonly sharedIpc: boolean;
  /** Sockets of the Internet; false where `network: 'none'` cannot have a namespace of its own. */
  readonly internet: boolean;
}

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Refused with EPERM, whatever the arguments. */
const REFUSED: readonly SyscallName[] = [
  // Other processes' memory and descriptors.
  ...(['ptrace', 'process_vm_readv', 'process_vm_writev', 'process_madvise', 'process_mrelease'] as const),
  ...(['kcmp', 'pidfd_getfd', 'move_pages', 'migrate_pages', 'set_mempolicy_home_node'] as const),
  // The file tree, and ways around it.
  ...(['mount', 'umount2', 'pivot_root', 'chroot', 'fsopen', 'fsconfig', 'fsmount', 'fspick'] as const),
  ...(['open_tree', 'open_tree_attr', 'move_mount', 'mount_setattr', 'statmount', 'listmount'] as const),
  ...(['name_to_handle_at', 'open_by_handle_at', 'fanotify_init', 'fanotify_mark', 'quotactl'] as const),
  ...(['quotactl_fd', 'swapon', 'swapoff', 'acct'] as const),
  // Namespaces. clone's flags are looked at below.
  ...(['unshare', 'setns'] as const),
  // The kernel itself.
  ...(['init_module', 'finit_module', 'delete_module', 'create_module', 'query_module'] as const),
  ...(['get_kernel_syms', 'kexec_load', 'kexec_file_load', 'reboot', 'bpf', 'perf_event_open'] as const),
  ...(['syslog', 'lookup_dcookie', 'iopl', 'ioperm', 'modify_ldt', 'vhangup', 'nfsservctl'] as const),
  ...(['uselib', 'ustat', 'sysfs', '_sysctl', 'vserver', 'personality', 'remap_file_pages'] as const),
  ...(['userfaultfd', 'memfd_secret', 'io_uring_setup', 'io_uring_enter', 'io_uring_register'] as const),
  // Keyrings are shared by a user's processes.
  ...(['add_key', 'request_key', 'keyctl'] as const),
  // The machine's clock and name.
  ...([
    'settimeofday',
    'clock_settime',
    'clock_adjtime',
    'adjtimex',
    'sethostname',
    'setdomainname',
  ] as const),
];

const SHARED_IPC: readonly SyscallName[] = [
  ...(['shmget', 'shmat', 'shmctl', 'shmdt', 'semget', 'semop', 'semctl', 'semtimedop'] as const),
  ...(['msgget', 'msgsnd', 'msgrcv', 'msgctl'] as const),
  ...(['mq_open', 'mq_unlink', 'mq_timedsend', 'mq_timedreceive', 'mq_notify', 'mq_getsetattr'] as const),
];

/** Both take their arguments behind a pointer. Who calls them falls back on the older call, whose arguments a filter can see. */
const UNKNOWN: readonly SyscallName[] = ['clone3', 'openat2'];

/** What one argument's lower half must be, with `mask` laid over it, or the call is refused. */
interface Test {
  readonly argument: number;
  readonly mask?: number;
  /** None of these, */
  readonly not?: readonly number[];
  /** one of these, */
  readonly oneOf?: readonly number[];
  /** none of these bits. */
  readonly noneOf?: number;
}

interface Condition {
  readonly call: SyscallName;
  /** The tests are of calls with this value there, or with one of these bits; all others are let through. */
  readonly where?: { readonly argument: number } & ({ readonly is: number } | { readonly anyOf: number });
  readonly tests: readonly Test[];
  readonly errno?: number;
}

const NEW_NAMESPACES = 0x7e020000;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const S_IFMT = 0o170000;
const DEVICES = [0o020000, 0o060000];
/** S_ISUID and S_ISGID. */
const SET_ID = 0o6000;
/** O_CREAT and O_TMPFILE: of other calls the mode is not looked at, and whatever stood in the register. */
const MAKES_A_FILE = 0o100 | 0o20000000;
/** Calls with a mode, and which argument it is. */
const MODES: readonly (readonly [SyscallName, number])[] = [
  ['chmod', 1],
  ['fchmod', 1],
  ['fchmodat', 2],
  ['fchmodat2', 2],
  ['creat', 1],
  ['mkdir', 1],
  ['mkdirat', 2],
];
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const PRIO_PROCESS = 0;
const IOPRIO_WHO_PROCESS = 1;

function conditions(settings: SeccompSettings): Condition[] {
  // Netlink is what getifaddrs(3) asks for the machine's addresses.
  const families = settings.internet ? [AF_UNIX, AF_INET, AF_INET6, AF_NETLINK] : [AF_UNIX];
  // The kernel lets a user change all of its own processes, siblings and the zygote among them; 0 is the caller.
  const ofCaller = (['prlimit64', 'sched_setaffinity', 'sched_setscheduler', 'sched_setparam'] as const).map(
    (call): Condition => ({ call, tests: [{ argument: 0, oneOf: [0] }] }),
  );
  return [
    { call: 'clone', tests: [{ argument: 0, noneOf: NEW_NAMESPACES }] },
    // Anything but SIGKILL, and it could outlive its parent.
    {
      call: 'prctl',
      where: { argument: 0, is: PR_SET_PDEATHSIG },
      tests: [{ argument: 1, oneOf: [SIGKILL] }],
    },
    { call: 'ioctl', tests: [{ argument: 1, not: [TIOCSTI, TIOCLINUX] }] },
    {
      call: 'mknod',
      tests: [
        { argument: 1, mask: S_IFMT, not: DEVICES },
        { argument: 1, noneOf: SET_ID },
      ],
    },
    {
      call: 'mknodat',
      tests: [
        { argument: 2, mask: S_IFMT, not: DEVICES },
        { argument: 2, noneOf: SET_ID },
      ],
    },
    // Where storage is mounted with mapped ids, what a component makes there is root's outside: with these bits, any user of
    // the machine would run it as root.
    ...MODES.map(([call, argument]): Condition => ({ call, tests: [{ argument, noneOf: SET_ID }] })),
    {
      call: 'open',
      where: { argument: 1, anyOf: MAKES_A_FILE },
      tests: [{ argument: 2, noneOf: SET_ID }],
    },
    {
      call: 'openat',
      where: { argument: 2, anyOf: MAKES_A_FILE },
      tests: [{ argument: 3, noneOf: SET_ID }],
    },
    { call: 'socket', tests: [{ argument: 0, oneOf: families }], errno: EAFNOSUPPORT },
    { call: 'socketpair', tests: [{ argument: 0, oneOf: [AF_UNIX] }], errno: EAFNOSUPPORT },
    ...ofCaller,
    { call: 'sched_setattr', tests: [{ argument: 0, oneOf: [0] }] },
    {
      call: 'setpriority',
      tests: [
        { argument: 0, oneOf: [PRIO_PROCESS] },
        { argument: 1, oneOf: [0] },
      ],
    },
    {
      call: 'ioprio_set',
      tests: [
        { argument: 0, oneOf: [IOPRIO_WHO_PROCESS] },
        { argument: 1, oneOf: [0] },
      ],
    },
  ];
}

const programs = new Map<string, Buffer>();

/** The filter's instructions for `arch`. Kept: to assemble one takes a millisecond, and there are four. */
export function seccompProgram(arch: Arch, settings: SeccompSettings): Buffer {
  const key = `${arch} ${settings.sharedIpc} ${settings.internet}`;
  let program = programs.get(key);
  if (program === undefined) {
    program = assemble(seccompSteps(arch, settings));
    programs.set(key, program);
  }
  return program;
}

function seccompSteps(arch: Arch, settings: SeccompSettings): Step[] {
  const refused = numbersOf([...REFUSED, ...(settings.sharedIpc ? [] : SHARED_IPC)], arch);
  const unknown = numbersOf(UNKNOWN, arch);
  const steps: Step[] = [
    // A call in another architecture's convention has other numbers.
    { do: 'load', offset: DATA.arch },
    { do: 'jump', when: 'equal', value: AUDIT_ARCH[arch], to: 'number' },
    { do: 'answer', action: ANSWER.killProcess },
    { do: 'label', name: 'number' },
    { do: 'load', offset: DATA.number },
    // x32's calls lie here too, from 0x40000000 on.
    { do: 'jump', when: 'above', value: LAST_KNOWN_SYSCALL, otherwise: 'known' },
    { do: 'answer', action: ANSWER.error(ENOSYS) },
    { do: 'label', name: 'known' },
  ];
  for (const condition of conditions(settings)) steps.push(...conditionSteps(condition, arch));
  for (const number of unknown) {
    const next = `not-${number}`;
    steps.push(
      { do: 'jump', when: 'equal', value: number, otherwise: next },
      { do: 'answer', action: ANSWER.error(ENOSYS) },
      { do: 'label', name: next },
    );
  }
  steps.push(...searchSteps(rangesOf(refused), 'root'));
  return steps;
}

function conditionSteps(condition: Condition, arch: Arch): Step[] {
  const number = syscallNumber(condition.call, arch);
  if (number === null) return [];
  const next = `after-${condition.call}`;
  const refuse = `refuse-${condition.call}`;
  const allow = `allow-${condition.call}`;
  const steps: Step[] = [{ do: 'jump', when: 'equal', value: number, otherwise: next }];
  const { where } = condition;
  if (where !== undefined) {
    steps.push({ do: 'load', offset: DATA.argument(where.argument) });
    if ('is' in where) steps.push({ do: 'jump', when: 'equal', value: where.is, otherwise: allow });
    else steps.push({ do: 'jump', when: 'anyBit', value: where.anyOf, otherwise: allow });
  }
  for (const [index, test] of condition.tests.entries()) {
    const passed = `passed-${condition.call}-${index}`;
    steps.push({ do: 'load', offset: DATA.argument(test.argument) });
    if (test.mask !== undefined) steps.push({ do: 'and', mask: test.mask });
    for (const value of test.not ?? []) steps.push({ do: 'jump', when: 'equal', value, to: refuse });
    for (const value of test.oneOf ?? []) steps.push({ do: 'jump', when: 'equal', value, to: passed });
    if (test.noneOf !== undefined) {
      steps.push({ do: 'jump', when: 'anyBit', value: test.noneOf, to: refuse });
    }
    if (test.oneOf !== undefined) steps.push({ do: 'answer', action: refusal(condition) });
    steps.push({ do: 'label', name: passed });
  }
  steps.push(
    { do: 'label', name: allow },
    { do: 'answer', action: ANSWER.allow },
    { do: 'label', name: refuse },
    { do: 'answer', action: refusal(condition) },
    { do: 'label', name: next },
  );
  return steps;
}

function refusal(condition: Condition): number {
  return ANSWER.error(condition.errno ?? EPERM);
}

interface Range {
  readonly first: number;
  readonly last: number;
}

/** A binary search: the kernel runs the filter once for every call's number when it is installed, which a list makes slow. */
function searchSteps(ranges: readonly Range[], path: string): Step[] {
  if (ranges.length === 0) return [{ do: 'answer', action: ANSWER.allow }];
  if (ranges.length === 1) {
    const { first, last } = ranges[0]!;
    return [
      { do: 'jump', when: 'atLeast', value: first, otherwise: `${path}-allow` },
      { do: 'jump', when: 'above', value: last, to: `${path}-allow` },
      { do: 'answer', action: ANSWER.error(EPERM) },
      { do: 'label', name: `${path}-allow` },
      { do: 'answer', action: ANSWER.allow },
    ];
  }
  const middle = Math.floor(ranges.length / 2);
  return [
    { do: 'jump', when: 'atLeast', value: ranges[middle]!.first, to: `${path}-upper` },
    ...searchSteps(ranges.slice(0, middle), `${path}l`),
    { do: 'label', name: `${path}-upper` },
    ...searchSteps(ranges.slice(middle), `${path}u`),
  ];
}

function rangesOf(numbers: readonly number[]): Range[] {
  const ranges: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const open = ranges.at(-1);
    if (open?.last === number - 1) open.last = number;
    else ranges.push({ first: number, last: number });
  }
  return ranges;
}

function numbersOf(names: readonly SyscallName[], arch: Arch): number[] {
  const numbers = names.map((name) => syscallNumber(name, arch)).filter((number) => number !== null);
  return [...new Set(numbers)].sort((a, b) => a - b);
}

import { FulcrumError } from '../base/errors.ts';

export interface UnitOptions {
  /** The Node that runs the server, and what follows it up to `serve`. */
  readonly program: readonly string[];
  readonly dataDirectory: string;
  /** Further arguments of `serve`. */
  readonly args: readonly string[];
  /** Null: root, which gives every component a user and a file tree of its own. */
  readonly user: string | null;
  /** Ports that systemd listens on for us. Empty: the server does. */
  readonly listen: readonly {
    readonly name: 'http' | 'https' | 'redirect';
    readonly port: number;
    readonly host: string;
  }[];
}

export interface UnitFile {
  readonly path: string;
  readonly text: string;
}

const FOLDER = '/etc/systemd/system';

/**
 * The units that run a server under systemd. What a component may do is bounded by its own sandbox; the unit bounds the server itself, and
 * leaves it what making sandboxes takes: namespaces, mounts, users, control groups of its own.
 */
export function unitFiles(options: UnitOptions): readonly UnitFile[] {
  const { user, listen } = options;
  if (user !== null && !/^[a-z_][a-z0-9_-]{0,31}$/.test(user))
    throw new FulcrumError('bad-request', `'${user}' is no name of a user.`);
  const sockets = listen.map((each) => ({
    path: `${FOLDER}/fulcrum-${each.name}.socket`,
    text: socketUnit(each),
  }));
  return [{ path: `${FOLDER}/fulcrum.service`, text: serviceUnit(options) }, ...sockets];
}

function serviceUnit({ program, dataDirectory, args, user, listen }: UnitOptions): string {
  const sockets = listen.map(({ name }) => `fulcrum-${name}.socket`).join(' ');
  const command = [...program, 'serve', '--data', dataDirectory, ...args].map(quoted).join(' ');
  return `${lines(
    '[Unit]',
    'Description=Fulcrum: functions and services on one machine',
    'Wants=network-online.target',
    `After=network-online.target${sockets === '' ? '' : ` ${sockets}`}`,
    sockets !== '' && `Requires=${sockets}`,
    '# A machine that starts it in vain goes on trying.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=notify',
    '# A restart by hand-over tells of another main process, by way of systemd-notify.',
    'NotifyAccess=all',
    `ExecStart=${command}`,
    '# `systemctl reload` replaces the process without losing a request.',
    'ExecReload=/bin/kill -HUP $MAINPID',
    'Restart=always',
    'RestartSec=1',
    'TimeoutStartSec=10min',
    '# Whatever is in flight may end: a function has up to 15 minutes.',
    'TimeoutStopSec=16min',
    '# The server ends its instances itself, in order; what is left at last is killed.',
    'KillMode=mixed',
    user !== null && `User=${user}`,
    'EnvironmentFile=-/etc/fulcrum.env',
    '',
    '# Control groups of components are below the unit’s own.',
    'Delegate=yes',
    'TasksMax=infinity',
    'LimitNOFILE=1048576',
    'OOMPolicy=continue',
    '',
    '# The server reads the system and writes its data alone. Not here, since sandboxes are made of just these: RestrictNamespaces,',
    '# PrivateUsers, ProtectControlGroups, ProtectProc, ProtectKernelTunables, MountFlags, SystemCallFilter, MemoryDenyWriteExecute.',
    'UMask=0022',
    'RuntimeDirectory=fulcrum-server',
    'RuntimeDirectoryMode=0700',
    'CacheDirectory=fulcrum',
    'Environment=XDG_RUNTIME_DIR=/run/fulcrum-server XDG_CACHE_HOME=/var/cache/fulcrum',
    'ProtectSystem=strict',
    `ReadWritePaths=${quoted(dataDirectory)}`,
    'ProtectHome=read-only',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'PrivateTmp=yes',
    'LockPersonality=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'KeyringMode=private',
    user === null
      ? 'CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_KILL CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_SYS_ADMIN CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_RESOURCE CAP_NET_ADMIN'
      : 'AmbientCapabilities=CAP_NET_BIND_SERVICE',
    user !== null && 'CapabilityBoundingSet=CAP_NET_BIND_SERVICE',
    user !== null && 'NoNewPrivileges=yes',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    sockets !== '' && `Also=${sockets}`,
  )}\n`;
}

function socketUnit({ name, port, host }: UnitOptions['listen'][number]): string {
  const address =
    host === '0.0.0.0' || host === '::' ? String(port) : `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return `${lines(
    '[Unit]',
    `Description=Fulcrum’s socket for ${name}: it takes connections while the server is restarted`,
    '',
    '[Socket]',
    `ListenStream=${address}`,
    'Service=fulcrum.service',
    `FileDescriptorName=${name}`,
    'Backlog=4096',
    'NoDelay=yes',
    '',
    '[Install]',
    'WantedBy=sockets.target',
  )}\n`;
}

function lines(...all: readonly (string | false)[]): string {
  return all.filter((line) => line !== false).join('\n');
}

/** For a unit's command line: systemd.service(5), "Command lines". */
function quoted(text: string): string {
  const safe = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[A-Za-z0-9_@%+=:,./$-]+$/.test(safe) ? safe : `"${safe.replaceAll(/["\\]/g, '\\$&')}"`;
}

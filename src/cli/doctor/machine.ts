import { formatBytes } from '../../base/bytes.ts';
import { fail, ok, warning, type Finding } from './finding.ts';

/** What is known of the machine; read in one place, so that the judgements below are functions of it. */
export interface MachineFacts {
  readonly nodeVersion: string;
  readonly execPath: string;
  readonly platform: string;
  readonly arch: string;
  /** Null: not glibc, or no Linux. */
  readonly glibcVersion: string | null;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** What a server's instances may use by default. */
  readonly budget: { readonly memoryBytes: number; readonly cpus: number };
  /** Null: without a limit. */
  readonly openFiles: number | null;
  /** Why functions are not forked here; null where they are. */
  readonly forkMissing: string | null;
}

const NODE_MAJOR = 26;
const LITTLE_MEMORY_BYTES = 512 * 1024 ** 2;
const FEW_OPEN_FILES = 4_096;

export function judgeMachine(facts: MachineFacts): Finding[] {
  return [
    judgeNode(facts),
    judgePlatform(facts),
    judgeMemory(facts),
    judgeCpus(facts),
    budget(facts),
    judgeOpenFiles(facts),
    engine(facts),
  ];
}

function judgeNode({ nodeVersion, execPath }: MachineFacts): Finding {
  const bundled = /[/\\]node_modules[/\\](node-(?:bin-)?(?:linux|darwin)-\w+)[/\\]/.exec(execPath)?.[1];
  const origin = bundled === undefined ? `from ${execPath}` : `bundled (${bundled})`;
  const found = `${nodeVersion}, ${origin}`;
  const major = Number(/^v(\d+)/.exec(nodeVersion)?.[1]);
  if (major >= NODE_MAJOR) return ok('node', found);
  return fail(
    'node',
    found,
    `Fulcrum runs on Node ${NODE_MAJOR}. Run \`npm install\` without --omit=optional; the package brings it.`,
  );
}

function judgePlatform({ platform, arch, glibcVersion }: MachineFacts): Finding {
  const found = `${platform} ${arch}${glibcVersion === null ? '' : `, glibc ${glibcVersion}`}`;
  const known = (platform === 'linux' || platform === 'darwin') && (arch === 'x64' || arch === 'arm64');
  if (!known) return fail('platform', found, 'Fulcrum runs on Linux and macOS, x64 or arm64.');
  if (platform === 'linux' && glibcVersion === null) {
    return fail(
      'platform',
      `${found}, no glibc`,
      'Use a distribution with glibc, such as Debian, rather than Alpine.',
    );
  }
  return ok('platform', found);
}

function judgeMemory({ memoryBytes }: MachineFacts): Finding {
  const found = formatBytes(memoryBytes);
  if (memoryBytes >= LITTLE_MEMORY_BYTES) return ok('memory', found);
  return warning('memory', found, 'Few instances fit. Give the machine or container 512 MB or more.');
}

function judgeCpus({ cpus }: MachineFacts): Finding {
  if (cpus > 1) return ok('cpus', String(cpus));
  return warning(
    'cpus',
    '1',
    'Gateway and instances share it, so that starts delay requests. Two are better.',
  );
}

function budget({ budget: { memoryBytes, cpus } }: MachineFacts): Finding {
  return ok(
    'budget',
    `${formatBytes(memoryBytes)} and ${cpus} ${cpus === 1 ? 'processor' : 'processors'} for instances, where \`serve\` is told nothing else`,
  );
}

function judgeOpenFiles({ openFiles }: MachineFacts): Finding {
  const found = openFiles === null ? 'without a limit' : openFiles.toLocaleString('en-GB');
  if (openFiles === null || openFiles >= FEW_OPEN_FILES) return ok('open files', found);
  return warning(
    'open files',
    found,
    'Each request takes up to two. Raise it before the start: ulimit -n 65536',
  );
}

function engine({ forkMissing }: MachineFacts): Finding {
  if (forkMissing === null)
    return ok('engine', 'fork for functions, plain Node processes (spawn) for services');
  return warning(
    'engine',
    `spawn, plain Node processes: ${forkMissing}`,
    'Functions start in tens of milliseconds instead of a few.',
  );
}

/** What native code is built for. The words are Node's: `linux`, `darwin`; `x64`, `arm64`. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
  /** `glibc`, `musl`, or null where the system has one only. */
  readonly libc: string | null;
}

/** The platform that this process runs on. */
export function hostPlatform(): Platform {
  return { os: process.platform, arch: process.arch, libc: process.platform === 'linux' ? hostLibc() : null };
}

/** `linux x64 (glibc)`. */
export function platformName({ os, arch, libc }: Platform): string {
  return libc === null ? `${os} ${arch}` : `${os} ${arch} (${libc})`;
}

let libc: string | null = null;

/** Node's report names the version of glibc that it runs with; where there is none, it is musl. */
function hostLibc(): string {
  if (libc !== null) return libc;
  // The report would otherwise look up the names of all open connections.
  const reporter = process.report as typeof process.report & { excludeNetwork: boolean };
  const before = reporter.excludeNetwork;
  reporter.excludeNetwork = true;
  const report = reporter.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  reporter.excludeNetwork = before;
  libc = report.header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return libc;
}

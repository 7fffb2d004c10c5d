import type { CertificateFiles } from '../gateway/tls/certificate.ts';
import type { HstsSettings } from '../gateway/tls/hsts.ts';
import type { BudgetAsked } from './budget-size.ts';

export interface Address {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
}

interface TlsOptions extends Address {
  readonly certificates: readonly CertificateFiles[];
  readonly hsts: HstsSettings | null;
}

/** What `fulcrum serve` was asked for. */
export interface ServerOptions {
  /** Where everything is kept that is not in a database elsewhere. */
  readonly dataDirectory: string;
  /** `postgres://…`; null: the store is a file in the data directory. */
  readonly databaseUrl: string | null;
  /** With a database: that a key for secrets may be made in the data directory, for no other server uses the database. */
  readonly makeKey: boolean;
  /** Plain HTTP; where `redirects` is set, to be sent on to https. Null: none. */
  readonly http: Address | null;
  readonly redirects: boolean;
  readonly https: TlsOptions | null;
  /** The admin API over HTTP; null: over the Unix socket alone. */
  readonly admin: Address | null;
  /** Names that the admin API is called by, behind a proxy or tunnel. */
  readonly adminHosts: readonly string[];
  /** Addresses or CIDR blocks of what stands in front of all apps. */
  readonly trustedProxies: readonly string[];
  /** What its components together may use. Absent: as `serve` has it by default. */
  readonly budget?: BudgetAsked;
}

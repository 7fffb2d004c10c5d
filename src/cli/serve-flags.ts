import type { BudgetFlags } from './budget-flags.ts';

/** What `fulcrum serve` was given on its command line. */
export interface ServeFlags extends BudgetFlags {
  readonly data?: string;
  readonly host: string;
  readonly port: number;
  readonly tlsPort?: number;
  readonly tlsCert?: readonly string[];
  readonly tlsKey?: readonly string[];
  readonly redirect: boolean;
  readonly hsts?: string;
  readonly adminPort: number;
  readonly adminHost: string;
  readonly adminName?: readonly string[];
  readonly admin: boolean;
  readonly makeKey?: boolean;
  readonly trustedProxy?: readonly string[];
  readonly install?: boolean;
  readonly user?: string;
  readonly socketActivation?: boolean;
  readonly dryRun?: boolean;
}

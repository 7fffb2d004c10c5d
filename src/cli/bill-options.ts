import { InvalidArgumentError } from 'commander';

/** A machine of one's own as a person writes it. */
export interface MachineSaid {
  readonly perMonth: number;
  readonly currency: string;
  /** Null: as the server's machine is. */
  readonly size: { readonly vcpu: number; readonly gb: number } | null;
}

/** `40`, `40/month`, `40EUR/month,4,8`: a price a month, and perhaps vCPUs and GB. */
export function machineSaid(text: string): MachineSaid {
  const found =
    /^\$?(\d+(?:\.\d+)?) ?([A-Z]{3})?(?:\/month)?(?:,(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)(?:GB)?)?$/.exec(text);
  const [, price, currency = 'USD', vcpu, gb] = found ?? [];
  const size = vcpu === undefined ? null : { vcpu: Number(vcpu), gb: Number(gb) };
  if (price === undefined || (size !== null && (size.vcpu === 0 || size.gb === 0)))
    throw new InvalidArgumentError(
      'It is a price a month, and perhaps vCPUs and GB: 40/month, or 40EUR/month,4,8.',
    );
  return { perMonth: Number(price), currency, size };
}

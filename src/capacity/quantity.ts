import type { Json } from '../base/json.ts';

const powersOf1024 = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const powersOf10: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** Of bounded length and size: a number of millions of digits, which nobody means, would take minutes. */
const quantity =
  /^(?<whole>\d{0,100})(?:\.(?<fraction>\d{0,100}))?(?:(?<binary>[KMGTPE]i)|(?<decimal>[numkMGTPE])|[eE](?<exponent>[+-]?\d{1,3}))?$/;

/**
 * A quantity of a resource as a whole number, rounded up as the scheduler does: cpu in thousandths, all else in units
 * (kubernetes/apimachinery pkg/api/resource). `500m` cpu → 500, `1.5Gi` memory → 1610612736. What is no quantity counts as 0.
 */
export function amountOf(resource: string, value: Json | undefined): number {
  if (typeof value !== 'string' && typeof value !== 'number') return 0;
  const parts = quantity.exec(String(value).trim())?.groups;
  if (parts === undefined) return 0;
  const { whole = '', fraction = '', binary, decimal, exponent } = parts;
  const digits = BigInt(`${whole}${fraction}` || '0');
  const power = (decimal === undefined ? Number(exponent ?? 0) : (powersOf10[decimal] ?? 0)) - fraction.length;
  const factor = binary === undefined ? 1n : 1024n ** BigInt(powersOf1024.indexOf(binary) + 1);
  const scaled = digits * factor * (isInThousandths(resource) ? 1000n : 1n);
  if (power >= 0) return Number(scaled * 10n ** BigInt(power));
  const divisor = 10n ** BigInt(-power);
  return Number((scaled + divisor - 1n) / divisor);
}

/** Whether a value is a quantity at all: `500m`, `1.5Gi`, `2`. */
export function isAmount(value: Json | undefined): value is string | number {
  if (typeof value === 'number') return true;
  return typeof value === 'string' && /\d/.test(value) && quantity.test(value.trim());
}

/** `500m`, `2`, `1536Mi`, `3`: an amount as a manifest would say it. */
export function formatAmount(resource: string, amount: number): string {
  if (isInThousandths(resource)) return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`;
  if (!isInBytes(resource)) return String(amount);
  const exact = powersOf1024.findLastIndex(
    (_, index) => amount >= 1024 ** (index + 1) && amount % 1024 ** (index + 1) === 0,
  );
  if (exact >= 0) return `${amount / 1024 ** (exact + 1)}${powersOf1024[exact] ?? ''}`;
  return amount < 1024 ** 2 ? String(amount) : `${Math.floor(amount / 1024 ** 2)}Mi`;
}

/** `requests.cpu` and `limits.cpu` of a quota are cpu, too. */
function isInThousandths(resource: string): boolean {
  return /^(requests\.|limits\.)?cpu$/.test(resource);
}

function isInBytes(resource: string): boolean {
  return /^(requests\.|limits\.)?(memory|ephemeral-storage|storage|hugepages-.+)$/.test(resource);
}

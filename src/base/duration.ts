const unitMs = { h: 3_600_000, m: 60_000, s: 1000 } as const;

/** `90s`, `10m`, `1h30m` in milliseconds: hours, minutes and seconds in this order. Undefined for anything else. */
export function durationOf(text: string): number | undefined {
  const parts = /^(?:(?<h>\d+)h)?(?:(?<m>\d+)m)?(?:(?<s>\d+)s)?$/.exec(text)?.groups;
  if (parts === undefined || text === '') return undefined;
  return (['h', 'm', 's'] as const).reduce((sum, unit) => sum + Number(parts[unit] ?? 0) * unitMs[unit], 0);
}

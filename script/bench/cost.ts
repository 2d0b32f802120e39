/** What one run of a program has taken, or several one after the other. */
export interface Cost {
  ms: number;
  /** User and system. */
  cpuSeconds: number;
  /** The most memory that it has had at once. */
  peakMb: number;
}

/** What programs have taken that ran one after the other. */
export function inTurn(costs: readonly Cost[]): Cost {
  return {
    ms: costs.reduce((all, { ms }) => all + ms, 0),
    cpuSeconds: costs.reduce((all, { cpuSeconds }) => all + cpuSeconds, 0),
    peakMb: Math.max(0, ...costs.map(({ peakMb }) => peakMb)),
  };
}

/** In which Linux counts the CPU time of a process, for programs; the same on all machines. */
const ticksPerSecond = 100;

/**
 * What a process that still runs has taken so far.
 * @param stat `/proc/PID/stat`
 * @param status `/proc/PID/status`
 */
export function costOfProcess(stat: string, status: string, ms: number): Cost {
  // The name in parentheses may have blanks; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const peakKb = /VmHWM:\s+(?<value>\d+) kB/.exec(status)?.groups?.['value'];
  return {
    ms,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    peakMb: Number(peakKb) / 1024,
  };
}

/** What GNU time is to write, and `costFrom` reads: seconds of user and system, and the peak in kB. */
export const timeFormat = '%U %S %M';

/** @throws Error for what is not in that form. Of a program that has failed, a line comes before it. */
export function costFrom(written: string, ms: number): Cost {
  const fields = /(?<user>[\d.]+) (?<system>[\d.]+) (?<peakKb>\d+)\s*$/.exec(written)?.groups;
  if (fields === undefined) throw new Error(`GNU time has written "${written}"`);
  const { user, system, peakKb } = fields;
  return { ms, cpuSeconds: Number(user) + Number(system), peakMb: Number(peakKb) / 1024 };
}

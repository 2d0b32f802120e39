import type { Cost } from './cost.ts';
import { median, ratioOf } from './statistics.ts';

/** One kind of work, done by the tools in turn; of those that cannot do it there is nothing. */
export interface Row {
  work: string;
  action: readonly Cost[];
  kubectl?: readonly Cost[];
  helm?: readonly Cost[];
  /** What the action has asked the server for: `GET 8, PATCH 10`. */
  requests?: string;
  /** A sentence without its full stop. */
  remarks?: string;
  /** Where a ratio would say nothing. */
  noRatio?: boolean;
}

export interface Machine {
  /** `AMD EPYC 7B13` */
  processor: string;
  cores: number;
  memoryGb: number;
  /** `2026-01-31` */
  date: string;
  /** Runnable processes over the last minute, at its busiest. */
  load: number;
  versions: Readonly<Record<'node' | 'kubernetes', string>> & { helm?: string };
}

type Tool = 'action' | 'kubectl' | 'helm';
const others = ['kubectl', 'helm'] as const;

/** How long it took, with the shortest and the longest, and how many times as long as others. */
export function timeTable(rows: readonly Row[]): string {
  return table(
    ['work', 'runs', 'action', ...others.flatMap((name) => [name, `action : ${name}`])],
    rows.map((row) => [
      row.work,
      runs(row),
      time(row.action),
      ...others.flatMap((name) => [time(row[name]), ratio(row, row[name])]),
    ]),
  );
}

/** What is special about rows: what else a tool does in it, or cannot do. */
export function remarksOf(rows: readonly Row[]): string {
  return rows.flatMap(({ work, remarks }) => (remarks === undefined ? [] : [`- **${work}**: ${remarks}.`])).join('\n');
}

/** CPU seconds, the peak of memory and requests. Rows about a part of a run have none. */
export function costTable(rows: readonly Row[]): string {
  const tools: readonly Tool[] = ['action', ...others];
  const seconds = (row: Row, name: Tool) => {
    const values = row[name]?.map(({ cpuSeconds }) => cpuSeconds) ?? [];
    return values.length === 0 ? '' : `${median(values).toFixed(2)} s`;
  };
  const peak = (row: Row, name: Tool) => {
    const values = row[name]?.map(({ peakMb }) => peakMb) ?? [];
    return values.length === 0 ? '' : `${median(values).toFixed(0)} MB`;
  };
  return table(
    [
      'work',
      ...tools.map((name) => `${name}, CPU`),
      ...tools.map((name) => `${name}, memory`),
      'requests of the action',
    ],
    rows
      .filter(hasCost)
      .map((row) => [
        row.work,
        ...tools.map((name) => seconds(row, name)),
        ...tools.map((name) => peak(row, name)),
        row.requests ?? '',
      ]),
  );
}

/** Lines `figure NAME VALUE`. */
export function figuresOf(row: Row): string[] {
  const name = row.work.replaceAll(/[^a-z0-9]+/g, '-');
  const ratios = row.noRatio === true ? [] : others.flatMap((other) => ratioFigure(row, other));
  return [
    ...ratios.map(([suffix, value]) => `figure ${name}-${suffix} ${value.toFixed(2)}`),
    ...(hasCost(row)
      ? [`figure ${name}-peak-mb ${Math.max(...row.action.map(({ peakMb }) => peakMb)).toFixed(0)}`]
      : [`figure ${name}-ms ${median(timesOf(row.action)).toFixed(0)}`]),
  ];
}

/** `docs/benchmark.md` */
export function page(rows: readonly Row[], machine: Machine): string {
  const { processor, cores, memoryGb, date, load, versions } = machine;
  const { node, kubernetes, helm } = versions;
  const peers = helm === undefined ? `kubectl ${kubernetes}` : `kubectl ${kubernetes}, helm ${helm}`;
  const helmUsed =
    helm === undefined
      ? 'helm was left out of this run.'
      : '**helm** is `helm upgrade --install --wait` of a chart with the same objects.';
  return `# Benchmark

Written by \`npm run bench -- --write\` on ${date}, with Node ${node}, ${peers} and a single-node Kubernetes ${kubernetes}, all on
one machine: ${cores} cores (${processor}), ${memoryGb} GB of memory, load average up to ${load.toFixed(1)}. The tools take turns on the same cluster, so compare the ratios, not the times.

- **action** is the main step, started as the runner starts it. **kubectl** is \`kubectl apply --server-side\` and then \`kubectl rollout status\`. ${helmUsed}
  Exceptions are listed below the first table.
- kubectl and helm keep their caches between runs; the action has none.
- A release is a Deployment with one pod, a Service, and ConfigMaps; a release of 1 is the Deployment alone. In the release of 1000, each ConfigMap has 1 kB and
  every tenth object is a Service. A changed deploy changes all objects except Services.

## Time

Medians, with the fastest and the slowest run in parentheses. Ratios are taken pair by pair: the median, and the lowest and highest in parentheses. Below 1, the action
is faster.

${asItIs(timeTable(rows))}

${remarksOf(rows)}

## CPU and memory

Medians. CPU is user and system time of all processes of the tool; memory is the peak of its largest process. Rows that measure only a part of a run are left out.

${asItIs(costTable(rows))}
`;
}

/** Padded by the formatter, a table would change as a whole with every figure. */
function asItIs(markdown: string): string {
  return `<!-- prettier-ignore-start -->\n\n${markdown}\n\n<!-- prettier-ignore-end -->`;
}

function ratioFigure(row: Row, other: 'kubectl' | 'helm'): [suffix: string, value: number][] {
  const costs = row[other];
  if (costs === undefined) return [];
  return [[other === 'kubectl' ? 'ratio' : 'helm-ratio', ratioOf(timesOf(row.action), timesOf(costs)).median]];
}

function hasCost({ action }: Row): boolean {
  return action.some(({ peakMb }) => peakMb > 0);
}

function timesOf(costs: readonly Cost[]): number[] {
  return costs.map(({ ms }) => ms);
}

/** How often the action did it, and a tool that did it less often. */
function runs(row: Row): string {
  const fewer = others.flatMap((name) => {
    const count = row[name]?.length;
    return count === undefined || count === row.action.length ? [] : [`${name} ${count}`];
  });
  return [String(row.action.length), ...fewer].join(', ');
}

function time(costs: readonly Cost[] | undefined): string {
  if (costs === undefined || costs.length === 0) return '';
  const times = timesOf(costs);
  const middle = median(times);
  const inSeconds = middle >= 10_000;
  const text = (value: number) => (inSeconds ? (value / 1000).toFixed(1) : value.toFixed(0));
  return `${text(middle)} ${inSeconds ? 's' : 'ms'} (${text(Math.min(...times))} to ${text(Math.max(...times))})`;
}

function ratio({ action, noRatio }: Row, other: readonly Cost[] | undefined): string {
  if (other === undefined || noRatio === true) return '';
  const found = ratioOf(timesOf(action), timesOf(other));
  return `${found.median.toFixed(2)} (${found.least.toFixed(2)} to ${found.most.toFixed(2)})`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

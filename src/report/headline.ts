/**
 * The words of headings: what changed to what, and what serves now. All facts come from whoever has looked at the cluster; what is
 * not known is not said.
 */
import { describeRef, type ObjectRef } from '../kubernetes/object.ts';
import { versionChange, versionOf } from './image-words.ts';
import type { TrafficStep } from './traffic-step.ts';

/** How many things a heading names of a kind; the page below it has all of them. */
const mostNamed = 3;

/** Something that a run changes, as a heading tells of it. */
export type Change =
  /** The image of a workload; `container` where several of it change. */
  | { is: 'image'; workload: string; container?: string; before: string; after: string }
  /** A workload that was not there before. */
  | { is: 'new'; workload: string; image: string }
  | { is: 'replicas'; workload: string; before: string; after: string }
  | { is: 'object'; ref: ObjectRef };

/** What a run changes as the object of a verb: `web 1.0.0 → 2.0.0`, `ConfigMap "settings"`; empty for nothing. */
export function nameChanges(changes: readonly Change[]): string {
  const versions = listed([...versionTexts(changes), ...newTexts(changes)]);
  if (versions !== '') return versions;
  const numbers = listed(
    changes.flatMap((change) =>
      change.is === 'replicas' ? [`${change.workload} ${change.before} → ${change.after} replicas`] : [],
    ),
  );
  if (numbers !== '') return numbers;
  const objects = changes.flatMap((change) => (change.is === 'object' ? [describeRef(change.ref)] : []));
  return objects.length > mostNamed ? `${objects.length} objects` : listed(objects);
}

/** The same as what has happened: `web 1.0.0 → 2.0.0`, `ConfigMap "settings" changed`; empty for nothing. */
export function tellChanges(changes: readonly Change[]): string {
  const text = nameChanges(changes);
  const isTold = changes.some(({ is }) => is !== 'object');
  return text === '' || isTold ? text : `${text} changed`;
}

function versionTexts(changes: readonly Change[]): string[] {
  return together(
    changes.flatMap((change) => {
      if (change.is !== 'image') return [];
      const { workload, container, before, after } = change;
      const name = container === undefined ? workload : `${workload}/${container}`;
      return { name, version: versionChange(before, after) };
    }),
  );
}

function newTexts(changes: readonly Change[]): string[] {
  return together(
    changes.flatMap((change) =>
      change.is === 'new' ? { name: change.workload, version: `${versionOf(change.image)} (new)` } : [],
    ),
  );
}

/** What goes from and to the same versions stands together: `web and worker 1.0.0 → 2.0.0`. */
function together(all: readonly { name: string; version: string }[]): string[] {
  const groups = Map.groupBy(all, ({ version }) => version);
  return [...groups].map(([version, group]) => `${listed(group.map(({ name }) => name))} ${version}`);
}

/** `shop: web 1.0.0 → 2.0.0, live in 11s (revision 7)` */
export function liveHeadline({
  subject,
  changes,
  done,
  recorded,
  elapsed,
}: {
  /** Whose versions these are: `shop`, `pull request 7`. */
  subject: string;
  changes: readonly Change[];
  /** `live`, `rolled back to revision 5` */
  done: string;
  /** `revision 7`, `now revision 7` */
  recorded: string;
  /** `11s` */
  elapsed: string;
}): string {
  const change = tellChanges(changes);
  return `${subject}: ${change === '' ? '' : `${change}, `}${done} in ${elapsed} (${recorded})`;
}

/**
 * What was tried, as a sentence begins with it: `shop: deploy of web 1.0.0 → 2.0.0`,
 * `shop: rollback to revision 1 (web 2.0.0 → 1.0.0)`
 */
export function attemptOf(subject: string, attempt: string, changes: readonly Change[]): string {
  const change = nameChanges(changes);
  if (change === '') return `${subject}: ${attempt}`;
  return attempt.includes(' ') ? `${subject}: ${attempt} (${change})` : `${subject}: ${attempt} of ${change}`;
}

/** `shop: web 2.0.0 → 3.0.0 is waiting for approval: 20 % of requests get 3.0.0 (revision 3)` */
export function waitingHeadline({
  subject,
  changes,
  traffic,
  revision,
  serving,
}: {
  subject: string;
  changes: readonly Change[];
  traffic: readonly TrafficStep[];
  revision: number;
  /** What answers behind the Services of the release, where it was looked at. */
  serving: string | undefined;
}): string {
  const change = tellChanges(changes);
  const share = shareOf(traffic, changes);
  const facts = share ?? (serving === undefined ? undefined : `users still get ${serving}`);
  const what = `${subject}: ${change === '' ? `revision ${revision} ` : `${change} `}is waiting for approval`;
  const number = change === '' ? '' : ` (revision ${revision})`;
  return facts === undefined ? `${what}${number}` : `${what}: ${facts}${number}`;
}

/** What the candidate of the last step gets: measured, or else by its pods. */
function shareOf(traffic: readonly TrafficStep[], changes: readonly Change[]): string | undefined {
  const last = [...new Map(traffic.map((step) => [step.workload, step])).values()];
  const [first] = last;
  if (first === undefined) return undefined;
  if (last.length > 1) return listed([...new Set(last.map((step) => candidateShare(step, changes)))]);
  return candidateShare(first, changes);
}

function candidateShare(
  { workload, candidatePods, stablePods, measured }: TrafficStep,
  changes: readonly Change[],
): string {
  const image = changes.find((change) => change.is === 'image' && change.workload === workload);
  const version = image?.is === 'image' ? versionOf(image.after) : `the new version of ${workload}`;
  return measured === undefined
    ? `${candidatePods} of ${candidatePods + stablePods} pods run ${version}`
    : `${Math.round(measured)} % of requests get ${version}`;
}

/** What a Service leads to: the versions that its ready pods run, the most frequent first. */
export interface Serving {
  workload: string;
  versions: readonly string[];
}

/** `web 1.0.0`, `web 1.0.0 and 2.0.0, api 3.1`; undefined where nothing is known to serve */
export function nameServing(serving: readonly Serving[]): string | undefined {
  const texts = serving.map(({ workload, versions }) => `${workload} ${versions.join(' and ')}`);
  return texts.length === 0 ? undefined : listed([...new Set(texts)]);
}

const nouns: ReadonlyMap<string, string> = new Map([
  ['deploy', 'Deploy'],
  ['promote', 'Promotion'],
  ['abort', 'Abort'],
  ['rollback', 'Rollback'],
  ['scale', 'Scaling'],
  ['pause', 'Pause'],
  ['resume', 'Resume'],
  ['restart', 'Restart'],
  ['status', 'Status'],
  ['plan', 'Plan'],
  ['preview', 'Preview'],
  ['teardown', 'Teardown'],
]);

/** What a command does as a noun: `Promotion`; `Run` where the workflow asks for a command that does not exist. */
export function nounOf(command: string | undefined): string {
  return nouns.get(command ?? '') ?? 'Run';
}

/** `a, b and c`, `a, b, c and 2 more` */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostNamed);
  const more = names.length - shown.length;
  const parts = more > 0 ? [...shown, `${more} more`] : shown;
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}

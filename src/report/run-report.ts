import type { Location } from '../base/errors.ts';
import type { ObjectRef } from '../kubernetes/object.ts';
import type { UndoReport } from '../release/undo-report.ts';
import type { ReleaseEvent } from '../release/release-event.ts';
import type { RollbackPreview } from '../release/rollback-preview.ts';
import type { Evidence } from '../rollout/evidence.ts';
import type { LogExcerpt } from '../rollout/log-excerpt.ts';
import type { Cause } from '../rollout/verdict.ts';
import type { RunningVersion } from '../rollout/versions.ts';
import type { CheckResult } from '../verify/result.ts';
import type { Drift } from '../release/drift-words.ts';
import type { PlannedObject, PlanReport } from './plan-report.ts';
import type { PreviewReport, SweepReport } from './preview-report.ts';
import type { TrafficStep } from './traffic-step.ts';

/** How a run ended; the value of the output `status`. */
export type Status = Success | Fault;

/** What was done, or that nothing had to be. */
type Success =
  | 'deployed'
  | 'scaled'
  | 'paused'
  | 'resumed'
  | 'restarted'
  | 'rolled-back'
  | 'aborted'
  | 'reported'
  /** What a deploy would do was told. */
  | 'planned'
  | 'unchanged'
  /** A candidate waits for `promote` or `abort`. */
  | 'waiting'
  /** There is to be no preview, by rules that were given. */
  | 'skipped'
  /** It is wanted no longer, or another run does it. */
  | 'superseded'
  | 'torn-down'
  | 'swept';

/** That it was not done, and what became of what had been begun. */
type Fault =
  /** Failed, and everything is back as it was. */
  | 'undone'
  /** Failed, and left as it is (`undo-on-failure: false`), or the undo could not finish. */
  | 'failed'
  | 'cancelled';

const faults: ReadonlySet<Status> = new Set<Fault>(['undone', 'failed', 'cancelled']);

export function hasFailed(status: Status): status is Fault {
  return faults.has(status);
}

/** All that is known of a run when it ends: what outputs, annotations and the job summary are made from. */
export interface RunReport {
  command: string;
  status: Status;
  /** What changed to what, and what serves now; without Markdown and without the cause of a failure: `shop: web 1.0.0 → 2.0.0, live in 11s`. */
  headline: string;
  strategy?: string;
  release?: string;
  namespace?: string;
  /** `https://203.0.113.7:6443`, and the kubeconfig's context. */
  server?: string;
  context?: string;
  revision?: number;
  previousRevision?: number;
  /** The commits that these two come from; text from outside until it is looked at. */
  commit?: string;
  previousCommit?: string;
  /** Where there is more to see, and who runs; from what the runner says. */
  links?: Links;
  objects: readonly ObjectReport[];
  /** What the run has changed, or tried to change, with its fields. */
  changes?: readonly PlannedObject[];
  workloads: readonly WorkloadReport[];
  /** After a change that failed: what the pods of what is live run, by a look at the cluster. */
  now?: HealthReport['versions'];
  addresses: readonly AddressReport[];
  timeline: readonly TimelineEntry[];
  /** Which share of the requests a candidate got, in order of time. */
  traffic?: readonly TrafficReport[];
  /** What the checks of the input `verify` came to, in the order in which they were made. */
  checks?: readonly CheckResult[];
  failure?: FailureReport;
  undo?: UndoReport;
  /** It has failed, and what it changed until then is left as it is. */
  stays?: boolean;
  /** What a rollback has left as it is, and why. */
  left?: readonly { ref: ObjectRef; reason: string }[];
  /** What a deploy would do; only of the command `plan`. */
  plan?: PlanReport;
  /** Only of the commands `preview` and `teardown`. */
  preview?: PreviewReport;
  sweep?: SweepReport;
  /** Where the comment about a preview is. */
  commentUrl?: string;
  /** Revisions of the release, newest first; only of the command `status`. */
  history?: readonly HistoryEntry[];
  /** Likewise the revisions that the controllers of workloads keep, where the release has no record of them. */
  workloadHistory?: readonly WorkloadHistoryEntry[];
  /** How the release is now; only of the command `status`. */
  health?: HealthReport;
  /** A run that is at work, or was killed and waits to be undone; only of the command `status`. */
  inProgress?: RunInProgress;
  /** Sentences that the user should know of although nothing failed. */
  warnings: readonly string[];
  durationMs: number;
}

/** Addresses that the action has made itself, from nothing but what the runner and the inputs say. */
export interface Links {
  /** `https://github.com/acme/shop` */
  repository?: string;
  /** The page of this attempt of the run. */
  run?: string;
  /** Who has started it. */
  actor?: string;
  /** How a workflow names this action: `acme/gke-rollout@v1`; absent for one that comes with the checkout. */
  uses?: string;
  pullRequest?: { number: number; url: string };
  /** Pages of Google's console, of a cluster of GKE. */
  console?: { workloads: string; logs: string };
}

/** A run that holds the lock of a release, or whose journal is open. */
export interface RunInProgress {
  /** Absent where the lock does not say it. */
  command?: string;
  /** Whether it renews its lock; one that does not was killed, and the next run deals with what it has left. */
  isAlive: boolean;
  /** It has changed nothing yet, or is done with it: it only holds the lock. */
  onlyLocks?: true;
  /** When it has last renewed its lock, ISO 8601. */
  renewedAt?: string;
  actor?: string;
  reason?: string;
  /** The address of the run, or the name of what holds the lock. */
  run: string;
  /** ISO 8601; absent where it does not show. */
  startedAt?: string;
}

/** How a release is, computed from what the cluster shows. */
export interface HealthReport {
  /** Everything that the live revision and a candidate need is there and ready. */
  healthy: boolean;
  /** When that was so, by the server's clock (ISO 8601): what "3 h ago" counts to. */
  at?: string;
  /** What is wrong, the most telling first. */
  problems: readonly HealthProblem[];
  /** What is not ready yet and may need nothing but time. */
  starting: readonly StartReport[];
  /** What is not as it was recorded. */
  drift: readonly Drift[];
  /** What the pods of each workload run. */
  versions: readonly { ref: ObjectRef; versions: RunningVersion[] }[];
  /** What a pause or an update strategy keeps from having all that was applied, one sentence each. */
  paused: readonly string[];
  /** What else whoever is on call should know, one sentence each: which side serves. */
  notes: readonly string[];
  /** What `rollback` would go to; or why there is nothing. */
  rollback?: RollbackPreview | { none: string };
  evidence: readonly Evidence[];
}

/** Something that is on its way. */
export interface StartReport {
  ref: ObjectRef;
  /** How far it is, and since when, with the name of the object: `Deployment "web": 1 of 2 pods updated; pod web-a: …`. */
  message: string;
}

export interface HealthProblem {
  ref: ObjectRef;
  /** One sentence, with the name of the object: `Deployment "web": scaled to 0, no pod runs`. */
  message: string;
  hint?: string;
  /** What the container that is to blame has said last. */
  log?: LogExcerpt;
}

export interface HistoryEntry {
  revision: number;
  outcome: 'live' | 'superseded' | 'undone' | 'failed' | 'waiting' | 'aborted' | 'unreadable';
  /** ISO 8601. */
  finishedAt: string;
  images: readonly string[];
  commit?: string;
  run?: string;
  actor?: string;
  /** The revision whose objects a rollback has brought back. */
  restores?: number;
  /** Of the input `reason`. */
  reason?: string;
  /** Why it failed. */
  cause?: string;
  /** What was done to it since without a new revision, oldest first. */
  events?: readonly ReleaseEvent[];
}

export interface WorkloadHistoryEntry {
  /** `Deployment/web` */
  workload: string;
  /** The number that its controller gives it. */
  revision: number;
  /** Whether its pods are known to have been ready. */
  state: 'current' | 'good' | 'unknown' | 'bad';
  /** ISO 8601. */
  createdAt: string;
  images: readonly string[];
  /** Pods of it that there are now, and how many are ready. */
  replicas: number;
  ready: number;
  changeCause?: string;
}

export interface ObjectReport {
  ref: ObjectRef;
  change: 'created' | 'configured' | 'unchanged';
}

export interface WorkloadReport {
  ref: ObjectRef;
  containers: readonly { name: string; before?: string; after: string }[];
  replicas?: { before?: number; after: number };
  /** From the write to ready; absent while it is not. */
  durationMs?: number;
  state: 'ready' | 'progressing' | 'failed' | 'unchecked';
  /** What is missing, or why it failed. */
  message: string;
}

/** Where a LoadBalancer Service answers. */
export interface AddressReport {
  ref: ObjectRef;
  /** An IP address or a host name. */
  address: string;
  url: string;
}

interface TrafficReport extends TrafficStep {
  /** Milliseconds since the start of the run. */
  atMs: number;
}

interface TimelineEntry {
  /** Milliseconds since the start of the run. */
  atMs: number;
  text: string;
}

export interface FailureReport {
  /** `VerificationFailed`, `MissingRights`; absent where a cause has a reason of its own. */
  reason?: string;
  /** YAML that somebody may apply to mend it. */
  manifest?: string;
  /** One sentence: the cause. */
  message: string;
  hint?: string;
  causes: readonly Cause[];
  /** Places in the user's files, one annotation each. */
  problems: readonly { message: string; location?: Location; log?: LogExcerpt }[];
  /** What the container that the first cause tells of has said last. */
  log?: LogExcerpt;
  evidence: readonly Evidence[];
  /** Seconds from the cluster's first sign of the cause to the moment the action named it. */
  namedAfterSeconds?: number;
}

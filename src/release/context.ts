import type { Clock } from '../base/clock.ts';
import type { Reporter } from '../base/reporter.ts';
import type { TimeLimit } from '../base/time-limit.ts';
import type { WorkflowEvent } from '../github/event.ts';
import type { GitHub, Repository } from '../github/github.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { ManifestSource } from '../manifests/read/source.ts';
import type { Bounds } from './bounds.ts';
import type { RightsCheck } from './rights-check.ts';
import type { RunIdentity } from './run-identity.ts';
import type { Wanted } from './wanted.ts';

/** What is to run once a change is done. */
export interface WhatRuns {
  command: string;
  /** The full hash that it comes from; absent where that is not known. */
  commit?: string;
  /** The number that its revision gets unless another run comes before; absent where it makes none. */
  revision?: number;
}

/** A change that is about to begin. */
export interface BeginningChange {
  release: string;
  namespace: string;
  /** Absent where it is only settled what an earlier run has left, or where nothing else will run. */
  runs?: WhatRuns;
}

/** What every command gets from the entry point. */
export interface Context {
  client: KubernetesClient;
  reporter: Reporter;
  clock: Clock;
  /** Until when the part of the run that is under way may go on trying. The client keeps to it too. */
  limit: TimeLimit;
  /** Aborts when the run is cancelled; its reason is a Cancelled. */
  signal: AbortSignal;
  run: RunIdentity;
  /** What has started it. */
  event: WorkflowEvent;
  /** Whose workflow it is; absent outside of one. */
  repository?: Repository;
  /** Connects to GitHub, once; absent without a token. */
  github?: () => Promise<GitHub>;
  /** The workspace: what paths in inputs are relative to. */
  cwd: string;
  /** What the input `manifests` can name. */
  sources: readonly ManifestSource[];
  /** The name of the kubeconfig's context. */
  contextName: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** Tells the post step what it would have to undo, and GitHub what is to run, before the first write. */
  onChangeBegins(change: BeginningChange): void;
  /** What the run has to be allowed. Absent in the post step: an undo is tried with the rights that there are. */
  rights?: RightsCheck;
  /** What the run may write that lies outside of the release's namespace. */
  bounds?: Bounds;
  /** Absent: what the run does is wanted until its end. */
  wanted?: Wanted;
}

/** What all commands that change a release are told. */
export interface ChangeOptions {
  release: string;
  /** Absent: that of the kubeconfig's context. */
  namespace?: string;
  /** For everything that is awaited together, from the first write on. */
  timeoutMs: number;
  undoOnFailure: boolean;
  undoTimeoutMs: number;
}

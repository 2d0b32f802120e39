import { grantsOf, type Grant } from '../release/rights.ts';
import type { Check } from '../verify/check.ts';
import {
  bringingGrants,
  changeGrants,
  concerns,
  lookingGrants,
  takingAwayGrants,
  verifyGrants,
  type Placed,
  type WorkloadCommand,
} from './grants.ts';
import { commands, type CommandName } from './index.ts';

/** A release as its manifests have it, whatever is in a cluster. */
export interface Released {
  namespace: string;
  objects: readonly Placed[];
  strategy: string;
  undoOnFailure: boolean;
  /** Of the input "verify". */
  checks: readonly Check[];
}

/** Commands whose namespace no manifest can tell: each pull request has its own. */
export type PreviewCommand = 'preview' | 'teardown';

export type AskableCommand = Exclude<CommandName, PreviewCommand>;

const ofObjects: Readonly<Record<AskableCommand, (release: Released) => Grant[]>> = {
  deploy: bringsIn,
  promote: bringsIn,
  abort: ({ objects, strategy, namespace }) => takingAwayGrants(objects, strategy, namespace),
  // A release that has a canary goes back in place.
  rollback: (release) =>
    bringsIn({ ...release, strategy: release.strategy === 'blue-green' ? release.strategy : 'rolling', checks: [] }),
  scale: changesIn('scale'),
  pause: changesIn('pause'),
  resume: changesIn('resume'),
  restart: changesIn('restart'),
  status: ({ objects }) => lookingGrants(objects),
  plan: bringsIn,
};

/** The commands of which `rightsOf` can tell. */
export const askableCommands = Object.keys(ofObjects) as readonly AskableCommand[];

/**
 * What a command may need on a release of these objects, in whatever state the cluster is: the sum of what a run asks before its
 * first write (`needs.ts`), of the first deploy, each later one, and their undo.
 */
export function rightsOf(command: AskableCommand, release: Released): Grant[] {
  return [...commands[command].rights.flatMap((id) => grantsOf(id, release.namespace)), ...ofObjects[command](release)];
}

function bringsIn({ objects, checks, namespace, ...how }: Released): Grant[] {
  const bringing = { ...how, namespace, surplus: [], newNamespaces: new Set<string>() };
  return [...bringingGrants(objects, bringing), ...verifyGrants(checks, namespace)];
}

/** Undone like a deploy; pausing and resuming never are. */
function changesIn(command: WorkloadCommand): (release: Released) => Grant[] {
  const isUndone = command === 'scale' || command === 'restart';
  return ({ objects, undoOnFailure }) =>
    changeGrants(
      command,
      objects.filter(({ object }) => concerns(command, object)),
      isUndone && undoOnFailure,
    );
}

import { isService } from '../traffic/services.ts';
import { grantsOf, previewGrants, type Grant } from '../release/rights.ts';
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
  /** The run makes its namespace, as with the input "create-namespace". */
  createsNamespace?: boolean;
  /** Of the input "preview-role". */
  previewRole?: string;
}

const ofObjects: Readonly<Record<CommandName, (release: Released) => Grant[]>> = {
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
  preview: bringsPreview,
  teardown: () => grantsOf('teardown', undefined),
};

/** The commands of which `rightsOf` can tell. */
export const askableCommands = Object.keys(ofObjects) as readonly CommandName[];

/**
 * What a command may need on a release of these objects, in whatever state the cluster is: the sum of what a run asks before its
 * first write (`needs.ts`), of the first deploy, each later one, and their undo.
 */
export function rightsOf(command: CommandName, release: Released): Grant[] {
  return [...commands[command].rights.flatMap((id) => grantsOf(id, release.namespace)), ...ofObjects[command](release)];
}

function bringsIn({ objects, checks, namespace, createsNamespace = false, ...how }: Released): Grant[] {
  const newNamespaces = new Set(createsNamespace ? [namespace] : []);
  const bringing = { ...how, namespace, surplus: [], newNamespaces };
  return [...bringingGrants(objects, bringing), ...verifyGrants(checks, namespace)];
}

/** A rolling deploy into a namespace that the run makes. */
function bringsPreview(release: Released): Grant[] {
  const { namespace, objects, previewRole } = release;
  return [
    ...previewGrants(previewRole),
    ...rightsOf('deploy', { ...release, strategy: 'rolling', createsNamespace: false }),
    ...(objects.some(({ object }) => isService(object)) ? grantsOf('answering', namespace) : []),
  ];
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

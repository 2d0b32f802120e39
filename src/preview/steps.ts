import type { KubernetesObject } from '../kubernetes/object.ts';
import { isGoing } from '../kubernetes/going.ts';
import type { Want } from './decide.ts';
import { ownership, readPreview, type PreviewIdentity } from './identity.ts';

/** What there is of a preview. */
export type Have =
  | { state: 'none' }
  /** `sha` and `expiresAt` are absent where its namespace does not tell them, such as after a first deploy that failed. */
  | { state: 'ours'; sha?: string; expiresAt?: number }
  /** Ours, and on its way out: it cannot be brought back, and nothing can be made in it. */
  | { state: 'terminating' }
  /** A namespace of this name that is not provably ours; `reason` goes on after its name. */
  | { state: 'foreign'; reason: string };

export type PreviewStep =
  /** By POST, so that one that is there after all is never taken over. */
  | { do: 'create-namespace' }
  | { do: 'wait-until-gone' }
  | { do: 'deploy'; sha: string }
  | { do: 'tear-down'; reason: string }
  /** The run ends without a write: `as` is its status. */
  | { do: 'nothing'; as: 'skipped' | 'superseded' | 'torn-down'; reason: string }
  /** The run fails without a write. */
  | { do: 'refuse'; reason: string };

/** @param namespace as the cluster has it; undefined where there is none of this name */
export function haveOf(namespace: KubernetesObject | undefined, identity: PreviewIdentity): Have {
  if (namespace === undefined) return { state: 'none' };
  const owned = ownership(namespace, identity);
  if (owned.is !== 'ours') return { state: 'foreign', reason: owned.reason };
  if (isGoing(namespace)) return { state: 'terminating' };
  const reading = readPreview(namespace);
  if (reading.state !== 'preview') return { state: 'ours' };
  const { sha, expiresAt } = reading.preview;
  return {
    state: 'ours',
    ...(sha === undefined ? {} : { sha }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/**
 * From what there is to what is wanted. The same commit is deployed once more: what was changed by hand comes back, and it
 * expires later.
 */
export function stepsFor(want: Want, have: Have): PreviewStep[] {
  switch (want.state) {
    case 'present':
      return stepsToPresent(want.sha, have);
    case 'absent':
      return [stepToAbsent(want, have)];
    case 'skipped':
    case 'superseded':
      return [{ do: 'nothing', as: want.state, reason: want.reason }];
  }
}

function stepsToPresent(sha: string, have: Have): PreviewStep[] {
  switch (have.state) {
    case 'none':
      return [{ do: 'create-namespace' }, { do: 'deploy', sha }];
    case 'ours':
      return [{ do: 'deploy', sha }];
    case 'terminating':
      return [{ do: 'wait-until-gone' }, { do: 'create-namespace' }, { do: 'deploy', sha }];
    case 'foreign':
      return [{ do: 'refuse', reason: have.reason }];
  }
}

/** To take away what is not there is no error (apache/answer#118, MCPJam/inspector#1801). */
function stepToAbsent({ reason, over }: Extract<Want, { state: 'absent' }>, have: Have): PreviewStep {
  const nothing = (rest: string): PreviewStep => ({
    do: 'nothing',
    as: over ? 'torn-down' : 'skipped',
    reason: `${reason}; ${rest}`,
  });
  switch (have.state) {
    case 'none':
      return nothing('there is nothing to remove');
    case 'ours':
      return { do: 'tear-down', reason };
    case 'terminating':
      return nothing('its preview is being deleted already');
    case 'foreign':
      return nothing(`there is nothing to remove: the namespace of that name ${have.reason}`);
  }
}

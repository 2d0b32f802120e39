import { getState, saveState as save } from '@actions/core';

import { Failure, messageOf } from '../base/errors.ts';
import { isObject, type Json } from '../base/json.ts';
import type { SavedRecord } from './deployment-record.ts';

/**
 * What the main step leaves for the post step. Nothing secret: the runner keeps it in a plain file, and the inputs are
 * there again in the post step.
 */
export interface SavedState {
  /** False until the main step has come to its own end; a post step that still finds it so has to undo. */
  finished: boolean;
  /** The holder of the release's lock. */
  holder: string;
  release?: string;
  namespace?: string;
  /**
   * The context and server that the main step wrote to: a step in between may have changed the kubeconfig's current
   * context, and the undo must not go to another cluster.
   */
  context?: string;
  server?: string;
  /** It has come to its end, but could not undo all that it had done. */
  hasFailed?: boolean;
  /** The deployment record that it has opened, and may not have closed. */
  record?: SavedRecord;
  /** A kubeconfig for later steps, which the post step removes. */
  exportedKubeconfig?: string;
}

const key = 'gke-rollout';

/**
 * Call it again as soon as more is known: the last state counts, also when the process is killed afterwards.
 * @throws Failure when the runner's file cannot be written: nothing could be undone by a post step then
 */
export function saveState(state: SavedState): void {
  try {
    save(key, JSON.stringify(state));
  } catch (error) {
    throw new Failure(`the state for the post step cannot be saved: ${messageOf(error)}`, {
      hint: 'Check that the disk of the runner is not full, and that GITHUB_STATE is the path of a writable file.',
    });
  }
}

/** What the main step has saved; undefined where it has saved nothing. @throws Failure for what this action has not written */
export function readState(): SavedState | undefined {
  const text = getState(key);
  if (text === '') return undefined;
  const state = parsed(text);
  if (!isObject(state) || typeof state['finished'] !== 'boolean' || typeof state['holder'] !== 'string') {
    throw new Failure(`the state "${key}" was not saved by this action`, {
      hint: 'The next run against the cluster undoes what was left there.',
    });
  }
  return state as unknown as SavedState;
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

import { getState, saveState as save } from '@actions/core';

import { isObject, type Json } from '../base/json.ts';

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
  /** A kubeconfig for later steps, which the post step removes. */
  exportedKubeconfig?: string;
}

const key = 'gke-rollout';

/** Call it again as soon as more is known: the last state counts, also when the process is killed afterwards. */
export function saveState(state: SavedState): void {
  save(key, JSON.stringify(state));
}

/** Undefined in the main step; what the main step saved in the post step. */
export function readState(): SavedState | undefined {
  const text = getState(key);
  if (text === '') return undefined;
  const state = JSON.parse(text) as Json;
  if (!isObject(state) || typeof state['finished'] !== 'boolean' || typeof state['holder'] !== 'string') {
    throw new TypeError(`the state "${key}" was not saved by this action: ${text}`);
  }
  return state as unknown as SavedState;
}

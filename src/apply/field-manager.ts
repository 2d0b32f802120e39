/** Owner of every field that a manifest sets, in `managedFields`. */
export const fieldManager = 'gke-rollout';

/** Owner of what an undo writes, for the moment between its two writes. */
export const undoManager = 'gke-rollout-undo';

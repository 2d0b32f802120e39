import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';

/** One object that is about to be written. */
export interface PlannedWrite {
  ref: ObjectRef;
  /** As it was; null when there was none. */
  before: KubernetesObject | null;
  /** As the server said it will be (dry run); null when that is not known. */
  after: KubernetesObject | null;
  done: false;
  /** It is deleted and made anew, because it cannot be changed. */
  remade?: true;
}

/** Where a write is said before it is done, so that whoever comes after a killed run can take it back. */
export interface WriteAhead {
  /** What objects of the release carry. */
  readonly mark: string;
  /** Call before the objects are written. */
  plan(writes: readonly PlannedWrite[]): Promise<void>;
  /** The same as `done`, but it reaches the cluster with the next plan only: call when that follows at once. */
  note(written: readonly { ref: ObjectRef; after: KubernetesObject }[]): void;
  /** Call after they were written, with what the server answered. */
  done(written: readonly { ref: ObjectRef; after: KubernetesObject }[]): Promise<void>;
}

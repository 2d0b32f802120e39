import { Failure } from '../base/errors.ts';

/** There is nothing to do any more: what was wanted when the run began is wanted no longer, or another run does it. */
export class Superseded extends Failure {
  override readonly keepsState = true;
}

/** Asked by a change whose purpose may pass while it is under way: that of a pull request which somebody closes meanwhile. */
export interface Wanted {
  /** Asked under the lock, before the first write. @throws Superseded */
  assert(): Promise<void>;
  /** Whether all that the run writes goes away as a whole, with its namespace: then there is nothing to undo. */
  isDoomed(): Promise<boolean>;
}

/** Who runs, and why: recorded with a revision, and the holder of the lock. */
export interface RunIdentity {
  /** The same in the main and the post step of one attempt of one run, and in no other. */
  holder: string;
  url?: string;
  actor?: string;
  commit?: string;
  /** What the user has given as the input `reason`. */
  reason?: string;
}

import type { ObjectRef } from '../kubernetes/object.ts';

/** What was seen around a failed object before the undo destroyed it. All texts are from outside and not to be trusted. */
export interface Evidence {
  object: ObjectRef;
  conditions: Condition[];
  events: EventLine[];
  logs: LogTail[];
}

interface Condition {
  /** Whose condition it is: the workload or one of its pods. */
  object: ObjectRef;
  type: string;
  status: string;
  reason: string;
  message: string;
}

interface EventLine {
  object: ObjectRef;
  /** ISO 8601. */
  time: string;
  type: string;
  reason: string;
  message: string;
  count: number;
}

export interface LogTail {
  pod: string;
  container: string;
  /** True for the log of the container's previous run. */
  previous: boolean;
  lines: string[];
}

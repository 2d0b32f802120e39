/** What was asked of the API server when it refused. */
export interface Attempt {
  /** The verb as RBAC names it: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`. */
  verb: string;
  /** Empty for requests that are about no kind, such as discovery. */
  plural: string;
  group: string;
  /** The object, or the namespace and kind, as messages name it. */
  subject: string;
}

/** One entry of `details.causes` of the server's Status. */
export interface StatusCause {
  field: string;
  message: string;
  reason: string;
}

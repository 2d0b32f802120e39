/** One field of an object that a run is going to change, as data: nothing is escaped. */
export interface FieldDiff {
  /** In words: `image of container "web"`, `key "app.conf"`. */
  field: string;
  change: 'added' | 'removed' | 'changed';
  /** Absent where there is none, and where a value is not to be shown; then neither is. */
  before?: string;
  after?: string;
}

/** What a run is going to change in one object. */
export interface ObjectDiff {
  /** The telling facts of an object that is new, all as `added`; of one that is there what changes, the most telling first. */
  fields: FieldDiff[];
  /** How many there are beside those. */
  more: number;
  /**
   * Who says so. `server`: its dry run, defaults and webhooks included. `manifest`: the server could not try it yet (its namespace or
   * its kind does not exist, a webhook takes no dry runs), so that this is only what the manifest states.
   */
  basis: 'server' | 'manifest';
  /** Why the object is written although no field is told: pods read config that changes, or only who owns its fields changes. */
  only?: 'config' | 'ownership';
}

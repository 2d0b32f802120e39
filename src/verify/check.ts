import type { JsonPath } from '../base/json-path.ts';

/** What must hold of the answers of a version before it counts as good. Made by `parseChecks`. */
export interface Check {
  /** How messages name it: its `name`, or what it asks. */
  name: string;
  /** The line of the input at which it begins, from 1. */
  line: number;
  target: Target;
  /** The only way to ask; absent: the first one that is reachable. */
  via?: Via;
  /** Each new pod is asked by itself, once, instead of the Service. */
  eachPod: boolean;
  method: string;
  /** Sent with each request. */
  headers: Readonly<Record<string, string>>;
  /** The body of each request. */
  send?: string;
  expected: Expected;
  /** How many that count there must be at least before it may pass. */
  requests: number;
  /** How long one request may take. */
  timeoutMs: number;
  /** From 0 to 1; absent: every answer must be right, and nothing is claimed about a rate. */
  maxErrorRate?: number;
  maxP95Ms?: number;
  /** Where an answer says by which version it was made. */
  version?: VersionPlace;
  /** How far the share may be from the wanted one, in percentage points. */
  shareTolerance: number;
}

export type Target =
  | { kind: 'url'; url: string }
  /** `service` absent: the one Service of the release; `port`: a number or a name, absent: the first that fits. */
  | { kind: 'service'; path: string; service?: string; port?: string };

/** By the external address of a Service, its cluster address, or the API server's proxy. */
export const vias = ['address', 'cluster', 'proxy'] as const;

export type Via = (typeof vias)[number];

export interface Expected {
  status: readonly StatusRange[];
  /** By lower-case name; an empty text asks only that the header is there. */
  headers: Readonly<Record<string, string>>;
  /** A text that the body must hold, and an expression that it must match. */
  contains?: string;
  matches?: RegExp;
  json: readonly JsonRule[];
}

/** `2xx` is from 200 to 299. */
export interface StatusRange {
  from: number;
  to: number;
}

export interface JsonRule {
  path: JsonPath;
  /** Compared with the text of the value, so that `1.10` stays what was written. */
  value: string;
}

export type VersionPlace = { kind: 'header'; name: string } | { kind: 'json'; path: JsonPath };

/** Stands in expected values for the tag of the candidate's image. */
const versionPlaceholder = '{version}';

/** Whether the check can only be judged when the version that is brought in is known. */
export function needsVersion({ expected }: Check): boolean {
  const texts = [...Object.values(expected.headers), ...expected.json.map(({ value }) => value), expected.contains];
  return texts.some((text) => text?.includes(versionPlaceholder) === true);
}

/** The expectation with the candidate's version in its place. */
export function withVersion(expected: Expected, version: string): Expected {
  const fill = (text: string) => text.replaceAll(versionPlaceholder, version);
  return {
    ...expected,
    headers: Object.fromEntries(Object.entries(expected.headers).map(([name, value]) => [name, fill(value)])),
    json: expected.json.map(({ path, value }) => ({ path, value: fill(value) })),
    ...(expected.contains === undefined ? {} : { contains: fill(expected.contains) }),
  };
}

import type { Json } from '../base/json.ts';

/** One request to GitHub. */
export interface Question {
  /** As GitHub's documentation has it: `GET /repos/{owner}/{repo}/pulls/{pull_number}`. */
  route: string;
  /** What stands in the route, in the query or in the body. */
  parameters: Readonly<Record<string, unknown>>;
  /** What it is for, after "cannot": `read pull request 7`. */
  purpose: string;
  /** What the token needs for it, as a workflow writes it: `pull-requests: read`. */
  permission: string;
  /** Sent twice, it does no more than sent once. */
  repeatable: boolean;
  /** Refusals that are an answer to whoever asks. */
  allowed?: readonly number[];
}

export interface Answer {
  status: number;
  /** JSON of any shape; a text where GitHub, or something in its place, has sent none. */
  data: Json;
  headers: Readonly<Record<string, string>>;
}

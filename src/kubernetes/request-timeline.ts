/** One attempt at a request: what was asked, and from when to when. */
export interface TimedRequest {
  /** `GET`, `PATCH`, …; `WATCH` for the opening of a watch. */
  verb: string;
  /** Without its query. */
  path: string;
  isDryRun: boolean;
  /** In ms by one clock, such as `performance.now()`; fractions count. */
  startedAt: number;
  /** When the whole answer was there; of a watch, its first headers. */
  endedAt: number;
  /** What the server has answered with; 200 stands for all that is a success. Undefined when no answer came. */
  status: number | undefined;
}

/** What else is on a timeline. */
export interface TimelineMark {
  /** By the clock of the requests. */
  at: number;
  text: string;
}

const longestPath = 80;

/**
 * Which round each request belongs to, the first one being 1. A request is in the round after the last one of which a request had
 * ended when it began, so that it may depend on its answer. The number of rounds is that
 * of the longest chain of requests of which each began after the one before had ended. What follows by chance counts too, so
 * that this is an upper bound of the rounds that the run needs.
 */
export function roundsOf(requests: readonly TimedRequest[]): number[] {
  const byEnd = requests.map((_, index) => index).sort((left, right) => endOf(requests, left) - endOf(requests, right));
  const byStart = [...byEnd].sort((left, right) => startOf(requests, left) - startOf(requests, right));
  const rounds = requests.map(() => 0);
  let ended = 0;
  let last = 0;
  for (const index of byStart) {
    // What has ended by then has begun before, so that its round is known.
    for (; ended < byEnd.length; ended += 1) {
      const other = byEnd[ended] ?? 0;
      if (endOf(requests, other) > startOf(requests, index) || rounds[other] === 0) break;
      last = Math.max(last, rounds[other] ?? 0);
    }
    rounds[index] = last + 1;
  }
  return rounds;
}

/** How many rounds follow one another. */
export function countRounds(requests: readonly TimedRequest[]): number {
  return roundsOf(requests).reduce((most, round) => Math.max(most, round), 0);
}

/**
 * The requests of a run as lines of text, by the time at which they began: that and their duration in ms, their round, how many
 * others they overlap, and what was asked. What a mark says is told with the rounds that come after it. Queries, and paths inside of an application, are left
 * out: they may hold something secret.
 * @param from when the run began, by the clock of the requests
 */
export function timelineText(
  requests: readonly TimedRequest[],
  { from, marks = [] }: { from: number; marks?: readonly TimelineMark[] },
): string[] {
  const rounds = roundsOf(requests);
  const lines = requests.map((request, index) => ({
    at: request.startedAt,
    text: `${ms(request.endedAt - request.startedAt)}  round ${String(rounds[index]).padStart(2)}  ${beside(request, requests)}  ${nameOf(request)}`,
  }));
  const told = marks.map(({ at, text }) => {
    const after = countRounds(requests.filter(({ startedAt }) => startedAt >= at));
    return { at, text: `-- ${text} (${plural(after, 'round')} from here)` };
  });
  const all = [...lines, ...told].sort((left, right) => left.at - right.at);
  return [
    `requests: ${requests.length} in ${plural(countRounds(requests), 'round')} (start and duration in ms)`,
    ...all.map(({ at, text }) => `${ms(at - from)}  ${text}`),
  ];
}

/** `GET deployments/web -n shop (dry run), 404` */
function nameOf({ verb, path, isDryRun, status }: TimedRequest): string {
  const [, namespace, rest = shortened(path)] = /^namespaces\/([^/]+)\/(.+)$/.exec(shortened(path)) ?? [];
  const answer = status === undefined ? ', no answer' : status < 300 ? '' : `, ${status}`;
  const place = namespace === undefined ? '' : ` -n ${namespace}`;
  return `${verb} ${cut(rest)}${place}${isDryRun ? ' (dry run)' : ''}${answer}`;
}

/** Without the root of the API, and without what an application is asked for. */
function shortened(path: string): string {
  const [bare = ''] = path.split('?');
  return bare.replace(/^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)\/(?=.)/, '').replace(/(\/proxy\/).+$/, '$1…');
}

function cut(text: string): string {
  return text.length <= longestPath ? text : `${text.slice(0, longestPath - 1)}…`;
}

function beside(request: TimedRequest, requests: readonly TimedRequest[]): string {
  const overlap = (other: TimedRequest) =>
    other !== request && other.startedAt < request.endedAt && request.startedAt < other.endedAt;
  const count = requests.filter(overlap).length;
  return count === 0 ? 'alone    ' : `beside ${String(count).padEnd(2)}`;
}

function ms(duration: number): string {
  return String(Math.round(duration)).padStart(6);
}

function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

function startOf(requests: readonly TimedRequest[], index: number): number {
  return requests[index]?.startedAt ?? 0;
}

function endOf(requests: readonly TimedRequest[], index: number): number {
  return requests[index]?.endedAt ?? 0;
}

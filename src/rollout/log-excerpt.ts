import type { Evidence } from './evidence.ts';
import type { Cause } from './verdict.ts';

/** The end of a container's log, short enough to be said beside the cause. From outside, and not to be trusted. */
export interface LogExcerpt {
  container: string;
  lines: string[];
}

const maxLines = 3;
const maxLineLength = 300;

/** What the container that a cause tells of has said last; undefined where it has said nothing, or no container is to blame. */
export function excerptFor({ object, container }: Cause, evidence: readonly Evidence[]): LogExcerpt | undefined {
  if (container === undefined) return undefined;
  const tails = evidence.flatMap((seen) => {
    const isOwn = seen.object.kind === object.kind && seen.object.name === object.name;
    return seen.logs.filter((tail) => tail.container === container && (isOwn || tail.pod === object.name));
  });
  const lines = tails
    .find((tail) => tail.lines.some(isTelling))
    ?.lines.filter(isTelling)
    .slice(-maxLines);
  return lines === undefined
    ? undefined
    : { container, lines: lines.map((line) => line.trimEnd().slice(0, maxLineLength)) };
}

function isTelling(line: string): boolean {
  return line.trim() !== '';
}

/** Forms in which programs print credentials: in a URL, in a header, as `password=…`, and as `token: …` with digits in it. */
const credentials = [
  /(?<before>:\/\/[^\s/:@]*:)[^\s@/]+(?=@)/g,
  /(?<before>\b(?:bearer|basic) +)[\w.~+/=-]{8,}/gi,
  /(?<before>(?:password|passwd|pwd|secret|token|api[-_]?key|access[-_]?key)["']?=["']?)[^\s"',;&]+/gi,
  /(?<before>(?:password|passwd|pwd|secret|token|api[-_]?key|access[-_]?key)["']?: *["']?)(?=[^\s"',;&]{0,300}\d)[^\s"',;&]{6,}/gi,
];

/** A line of a log without what looks like a credential: the runner masks only those that it has been told of. */
export function withoutCredentials(line: string): string {
  return credentials.reduce((text, form) => text.replaceAll(form, '$<before>***'), line);
}

/**
 * Links of the summary. Their addresses begin with what the runner says; what is recorded in the cluster, or comes from elsewhere,
 * only completes them, and only where it is plainly what it should be.
 */
import type { Location } from '../../base/errors.ts';
import type { Links, RunReport } from '../../report/run-report.ts';
import { code, prose } from '../markdown.ts';

/** What became of which commit, in which run, by whom: `abc1234 (changes since def5678), #7, run 42 by octocat` */
export function origin({ commit, previousCommit, links = {} }: RunReport): string {
  const { repository, pullRequest, run, actor } = links;
  const before = commit === undefined ? undefined : changesSince(repository, previousCommit, commit);
  const by = actor === undefined ? '' : `by ${prose(actor, 100)}`;
  const number = /\/runs\/(?<number>\d+)/.exec(run ?? '')?.groups?.['number'] ?? '';
  return [
    commit === undefined ? '' : [commitLink(links, commit), ...(before === undefined ? [] : [`(${before})`])].join(' '),
    pullRequest === undefined ? '' : link(`pull request ${pullRequest.number}`, pullRequest.url),
    [run === undefined ? '' : link(`run ${number}`, run), by].filter((part) => part !== '').join(' '),
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** `workloads, logs` in Google's console. */
export function consoleLinks({ console }: Links): string {
  return console === undefined ? '' : `${link('workloads', console.workloads)}, ${link('logs', console.logs)}`;
}

/** The short hash, which leads to the commit where it is one. */
export function commitLink({ repository }: Links = {}, commit: string): string {
  const text = code(commit.slice(0, 7));
  return repository !== undefined && isHash(commit) ? link(text, `${repository}/commit/${commit}`) : text;
}

/** @param text Markdown, which leads to the run where that is one of this repository */
export function runLink({ repository }: Links = {}, run: string | undefined, text: string): string {
  const start = `${repository ?? ''}/actions/runs/`;
  const isOwn = repository !== undefined && run?.startsWith(start) === true && /^\d+$/.test(run.slice(start.length));
  return isOwn && text !== '' ? link(text, run) : text;
}

/** What lies between what was live before and now; nothing where that is the same, or one of them is not known. */
function changesSince(repository: string | undefined, before: string | undefined, now: string): string | undefined {
  if (repository === undefined || before === undefined || before === now) return undefined;
  if (!isHash(before) || !isHash(now)) return undefined;
  return link(`changes since ${before.slice(0, 7)}`, `${repository}/compare/${before}...${now}`);
}

/** `k8s/app.yaml:12`, which leads to the line in the commit where it is plainly a file of the repository. */
export function fileLink({ repository }: Links = {}, commit: string | undefined, { file, line }: Location): string {
  const place = code(line === undefined ? file : `${file}:${line}`);
  const isOwn = repository !== undefined && commit !== undefined && isHash(commit);
  const isPlain = /^(?:[\w-][\w.-]*\/)*[\w-][\w.-]*$/.test(file);
  if (!isOwn || !isPlain) return place;
  return link(place, `${repository}/blob/${commit}/${file}${line === undefined ? '' : `#L${line}`}`);
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{7,64}$/.test(text);
}

/** @param text Markdown without links */
function link(text: string, url: string): string {
  return `[${text}](${url.replaceAll(/[\s()<>|]/g, encodeURIComponent)})`;
}

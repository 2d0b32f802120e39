import { shortSha } from '../../preview/decide.ts';
import { utc } from '../../preview/expiry.ts';
import type { Holder } from '../../preview/limit.ts';
import { alert, bullets, code, codeBlock, details, table } from '../markdown.ts';
import { isPlainUrl, link, quiet, quietHtml } from './quiet.ts';
import type { CommentView, CommitLink, PreviewOutcome, Serving, ShownFailure } from './view.ts';

/** GitHub takes 65,536 characters (easybuilders/easybuild-easyconfigs#24647); the hidden marker needs some as well. */
export const maxCommentLength = 60_000;

interface CommentLimits {
  /** Of each piece of evidence, in characters. */
  evidence: number;
  rows: number;
}

/** From everything to hardly anything: what it was that failed goes before that it failed. */
const ladder: readonly CommentLimits[] = [
  { evidence: 2_000, rows: 50 },
  { evidence: 1_000, rows: 30 },
  { evidence: 500, rows: 10 },
  { evidence: 0, rows: 5 },
];

/**
 * The comment about a preview, as Markdown: its state and where it answers at a glance, the rest below. It makes no mention and no
 * reference of what others have written, at most `maxCommentLength` characters. The same stands in the job summary.
 */
export function renderComment(view: CommentView): string {
  for (const limits of ladder) {
    const markdown = render(view, limits);
    if (markdown.length <= maxCommentLength) return markdown;
  }
  return `${heading(view)}\n\nEverything else is in the log: it is too large for a comment.\n`;
}

function render(view: CommentView, limits: CommentLimits): string {
  const sections =
    view.state === 'torn-down'
      ? [heading(view), `Removed at ${utc(view.at)}: ${quiet(view.reason)}.`, adviceOf(view, limits)]
      : [
          heading(view),
          address(view),
          said(view, limits),
          facts(view),
          warningsOf(view, limits),
          view.state === 'failed' ? evidenceOf(view.failure, limits) : '',
          objectsOf(view, limits),
          changesOf(view, limits),
          adviceOf(view, limits),
        ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

const headings: Record<PreviewOutcome['state'], { icon: string; words: string }> = {
  ready: { icon: '✅', words: 'is ready' },
  deploying: { icon: '🚀', words: 'is being deployed' },
  failed: { icon: '❌', words: 'failed' },
  waiting: { icon: '⏸️', words: 'is waiting' },
  skipped: { icon: '⏭️', words: 'was skipped' },
  superseded: { icon: '⏭️', words: 'was superseded' },
  'torn-down': { icon: '🧹', words: 'was removed' },
};

function heading({ state, release }: CommentView): string {
  const { icon, words } = headings[state];
  return `### ${icon} Preview of ${code(release)} ${words}`;
}

/** Where it answers: the first thing that anybody looks for. */
function address(view: CommentView): string {
  if (view.state !== 'ready') return '';
  if (view.url === undefined) return 'It has no address outside of the cluster.';
  const note =
    view.reach === 'not-from-runner'
      ? ' (not reachable from the runner: it was only checked from inside the cluster)'
      : '';
  return `**${urlOf(view.url)}**${note}`;
}

/** Only what is plainly a URL becomes a link. */
function urlOf(url: string): string {
  return isPlainUrl(url) ? `<${url}>` : code(url);
}

/** What happened and what serves now, in sentences. */
function said(view: CommentView, limits: CommentLimits): string {
  switch (view.state) {
    case 'ready':
    case 'torn-down':
      return '';
    case 'deploying':
      return serving(view.serving, 'Nothing is serving yet.');
    case 'failed':
      return `${causeOf(view.failure)}\n\n${serving(view.serving, 'Nothing is serving.')}`;
    case 'waiting':
    case 'superseded':
      return `${sentence(view.reason)}\n\n${serving(view.serving, 'Nothing is serving.')}`;
    case 'skipped':
      return [sentence(view.reason), holdersOf(view.holders ?? [], limits)].filter((part) => part !== '').join('\n\n');
  }
}

/** A reason as a sentence of its own. */
function sentence(reason: string): string {
  return `${quiet(reason.replace(/^\p{Ll}/u, (first) => first.toUpperCase()))}.`;
}

function causeOf({ cause, hint, undone }: ShownFailure): string {
  const lines = [
    `**${quiet(cause, 1_000)}**`,
    ...[hint, undone].map((text) => (text === undefined ? '' : quiet(text, 1_000))),
  ];
  return alert('CAUTION', lines.filter((line) => line !== '').join('\n\n'));
}

function serving(what: Serving, nothing: string): string {
  if (what.state === 'nothing') return nothing;
  if (what.state === 'left') return 'What this run has deployed is left as it is.';
  const version = what.commit === undefined ? 'The previous version' : `The previous version ${commitOf(what.commit)}`;
  return what.url === undefined ? `${version} still serves.` : `${version} still serves at ${urlOf(what.url)}.`;
}

/** As code where it is no link: GitHub would make one of its own. */
function commitOf({ sha, url }: CommitLink): string {
  return link(code(shortSha(sha)), url);
}

/**
 * A link to the pull request of a holder would leave "mentioned this" in its thread, at every edit of this comment: the preview is
 * linked instead.
 */
function holdersOf(holders: readonly Holder[], limits: CommentLimits): string {
  return bullets(
    holders,
    ({ number, namespace, url, age, until }) =>
      `${link(`Pull request ${number}`, url)} in ${code(namespace)}, ${age} old, ${quiet(until)}`,
    limits.rows,
  );
}

function facts(view: CommentView): string {
  const { commit, images = [], namespace, deployedAt, runUrl } = view;
  const run = runUrl !== undefined && isPlainUrl(runUrl) ? link('Log', runUrl) : '';
  const rows = [
    ['Commit', commit === undefined ? '' : commitOf(commit)],
    ['Image', images.slice(0, 5).map(imageOf).join('<br>')],
    ['Namespace', namespace === undefined ? '' : code(namespace)],
    ['Deployed', deployedAt === undefined ? '' : utc(deployedAt)],
    ['Expires', expires(view)],
    ['Run', run],
  ].filter(([, value]) => value !== '');
  const [head, ...others] = rows;
  return head === undefined ? '' : table(head, others, (row) => row);
}

function expires({ state, expiresAt, isKept, deployedAt }: CommentView): string {
  if (isKept === true) return 'never: its label keeps it';
  if (expiresAt !== undefined) return utc(expiresAt);
  return state === 'ready' && deployedAt !== undefined ? 'never' : '';
}

/** Without the middle of a digest: its beginning says which one it is. */
function imageOf(image: string): string {
  return code(image.slice(0, 500).replaceAll(/\b([0-9a-f]{12})[0-9a-f]{28,}/g, '$1…'));
}

function warningsOf({ warnings = [] }: CommentView, limits: CommentLimits): string {
  if (warnings.length === 0) return '';
  return alert(
    'WARNING',
    bullets(warnings, (warning) => quiet(warning), limits.rows),
  );
}

function evidenceOf({ evidence }: ShownFailure, limits: CommentLimits): string {
  return evidence
    .slice(0, limits.rows)
    .map(({ title, lines }) => details(quietHtml(title), ends(lines, limits.evidence)))
    .join('\n\n');
}

/** As many whole lines from the end as there is room for; of a last one that is too long alone, its end. */
function ends(lines: readonly string[], limit: number): string {
  if (limit === 0 || lines.length === 0) return 'See the log of the run.';
  let left = limit;
  const first = lines.findLastIndex((line) => (left -= line.length + 1) < 0) + 1;
  return codeBlock(first < lines.length ? lines.slice(first) : [`…${(lines.at(-1) ?? '').slice(-limit)}`]);
}

function objectsOf({ objects = [] }: CommentView, limits: CommentLimits): string {
  if (objects.length === 0) return '';
  return details(
    `Objects: ${objects.length}`,
    table(
      ['Object', 'State'],
      objects,
      ({ kind, name, state }) => [`${quiet(kind)} ${code(name)}`, quiet(state)],
      limits.rows,
    ),
  );
}

function changesOf({ changes = [] }: CommentView, limits: CommentLimits): string {
  if (changes.length === 0) return '';
  return details(
    `What is different in a preview: ${changes.length}`,
    bullets(changes, (change) => quiet(change), limits.rows),
  );
}

function adviceOf({ advice = [] }: CommentView, limits: CommentLimits): string {
  if (advice.length === 0) return '';
  return details(
    'How to keep it, remove it or bring it back',
    bullets(advice, (line) => quiet(line), limits.rows),
  );
}

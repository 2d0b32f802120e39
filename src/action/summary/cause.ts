import { formatDuration } from '../../base/clock.ts';
import type { Location } from '../../base/errors.ts';
import type { FailureReport, RunReport } from '../../report/run-report.ts';
import { lastLinesOf } from '../last-lines.ts';
import { alert, bullets, code, codeBlock, prose } from '../markdown.ts';
import type { SummaryLimits } from './limits.ts';
import { fileLink } from './links.ts';
import { name } from './name.ts';

/** Why a run failed, once: the cause, what the container said last, the line of the manifest, and what to do. */
export function renderCause(
  failure: FailureReport,
  { links, commit }: Pick<RunReport, 'links' | 'commit'>,
  limits: SummaryLimits,
): string {
  const hint = failure.hint ?? failure.causes[0]?.hint;
  const placeOf = (location: Location) => fileLink(links, commit, location);
  // What is said of a line of a manifest is mostly the cause itself.
  const isCause = ({ message, location }: FailureReport['problems'][number]) =>
    location !== undefined && message.startsWith(failure.message);
  const places = failure.problems.filter(isCause).flatMap(({ location }) => location ?? []);
  const box = [
    `**${prose(failure.message, 2_000)}**`,
    ...(failure.log === undefined ? [] : ['', prose(lastLinesOf(failure.log)), '', codeBlock(failure.log.lines)]),
    ...places.slice(0, limits.rows).flatMap((location) => ['', `In ${placeOf(location)}`]),
    ...(hint === undefined ? [] : ['', `What to do: ${prose(hint, 1_000)}`]),
  ];
  return [
    alert('CAUTION', box.join('\n')),
    failure.manifest === undefined ? '' : codeBlock(failure.manifest.trimEnd().split('\n'), 'yaml'),
    bullets(
      failure.problems.filter((problem) => !isCause(problem)),
      ({ message, location }) =>
        location === undefined ? prose(message, 1_000) : `${placeOf(location)}: ${prose(message, 1_000)}`,
      limits.rows,
    ),
    otherCauses(failure, hint, limits),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** What else was seen; of a single cause, where and how soon. */
function otherCauses(failure: FailureReport, hint: string | undefined, limits: SummaryLimits): string {
  const [first] = failure.causes;
  // A time-out says what it is before its cause.
  const others = failure.causes.filter(({ message }) => !failure.message.endsWith(message));
  const since = failure.namedAfterSeconds;
  const list = bullets(
    others,
    ({ reason, message, hint: advice, object }) => {
      const rest = advice === undefined || advice === hint ? '' : ` ${prose(advice)}`;
      return `${name(object)}: ${prose(message, 1_000)} (${code(reason)}).${rest}`;
    },
    limits.rows,
  );
  const seen = [
    first === undefined || others.length > 0 ? '' : `${code(first.reason)} on ${name(first.object)}`,
    since === undefined ? '' : `explained ${formatDuration(since * 1000)} after the cluster first showed it`,
  ].filter((part) => part !== '');
  return [list, seen.length === 0 ? '' : `<sub>${seen.join(', ')}</sub>`].filter((part) => part !== '').join('\n\n');
}

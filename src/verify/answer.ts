import { ownValue } from '../base/json.ts';
import type { Json } from '../base/json.ts';
import { namesSecret } from '../base/telling.ts';
import { describeLimit, limits } from '../base/limits.ts';
import { matchWithin } from '../base/timed-match.ts';
import type { Expected, VersionPlace } from './check.ts';
import { formatJsonPath, textAt } from '../base/json-path.ts';

/** What became of one request. */
export type Attempt =
  | { state: 'answered'; answer: Answer }
  /** No answer by the application. */
  | { state: 'broken'; problem: ConnectionProblem; message: string }
  /** It never reached the application for reasons that are not the application's: it counts for nothing. */
  | { state: 'lost'; message: string };

export interface Answer {
  status: number;
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  /** Its first megabyte, as text. */
  body: string;
  /** From the moment the connection stood to the last byte. */
  durationMs: number;
}

export type ConnectionProblem = 'refused' | 'reset' | 'tls' | 'timeout' | 'no-endpoint' | 'balancer';

export type Problem =
  ConnectionProblem | 'server-error' | 'wrong-status' | 'wrong-header' | 'wrong-body' | 'wrong-json' | 'wrong-version';

export const problemWords: Readonly<Record<Problem, string>> = {
  refused: 'connection refused',
  reset: 'connection reset',
  tls: 'TLS failed',
  timeout: 'no answer in time',
  'no-endpoint': 'no ready endpoint',
  balancer: 'error of a load balancer',
  'server-error': 'error of the application',
  'wrong-status': 'wrong status',
  'wrong-header': 'wrong header',
  'wrong-body': 'wrong body',
  'wrong-json': 'wrong JSON',
  'wrong-version': 'wrong version',
};

/** An attempt as a check sees it. `version` is what the answer says of itself. */
export type Finding =
  | { state: 'right'; durationMs: number; version?: string }
  | { state: 'wrong'; problem: Problem; message: string; durationMs?: number; version?: string }
  | { state: 'lost'; message: string };

export interface Expectation {
  expected: Expected;
  place?: VersionPlace | undefined;
  /** The version that must have made the answer. */
  version?: string | undefined;
}

/** Judges one attempt; what is the most telling comes first. */
export function judgeAttempt(attempt: Attempt, { expected, place, version }: Expectation): Finding {
  if (attempt.state === 'lost') return attempt;
  if (attempt.state === 'broken') return { state: 'wrong', problem: attempt.problem, message: attempt.message };
  const { answer } = attempt;
  const stated = place === undefined ? undefined : versionOf(answer, place);
  const facts = { durationMs: answer.durationMs, ...(stated === undefined ? {} : { version: stated }) };
  const problem = problemOf(answer, expected) ?? versionProblem(stated, place, version);
  return problem === undefined ? { state: 'right', ...facts } : { state: 'wrong', ...problem, ...facts };
}

/** Which version an answer says it was made by. */
function versionOf(answer: Answer, place: VersionPlace): string | undefined {
  if (place.kind === 'header') return ownValue(answer.headers, place.name);
  return textAt(jsonOf(answer.body), place.path);
}

type Wrong = { problem: Problem; message: string } | undefined;

function problemOf(answer: Answer, expected: Expected): Wrong {
  return (
    statusProblem(answer, expected) ??
    headerProblem(answer, expected) ??
    bodyProblem(answer, expected) ??
    jsonProblem(answer, expected)
  );
}

function statusProblem(answer: Answer, { status }: Expected): Wrong {
  if (status.some(({ from, to }) => answer.status >= from && answer.status <= to)) return undefined;
  if (isOfBalancer(answer)) {
    return { problem: 'balancer', message: `a load balancer answered ${answer.status}${start(answer.body)}` };
  }
  const problem = answer.status < 500 ? 'wrong-status' : 'server-error';
  return { problem, message: `answered ${answer.status}${start(answer.body)}` };
}

function headerProblem({ headers }: Answer, expected: Expected): Wrong {
  for (const [name, value] of Object.entries(expected.headers)) {
    const found = ownValue(headers, name);
    if (found === undefined) return { problem: 'wrong-header', message: `has no header "${name}"` };
    if (value !== '' && found !== value && namesSecret(name)) {
      return { problem: 'wrong-header', message: `its header "${name}" has a different value than expected` };
    }
    if (value !== '' && found !== value) {
      return { problem: 'wrong-header', message: `its header "${name}" is "${short(found)}" instead of "${value}"` };
    }
  }
  return undefined;
}

function bodyProblem({ body }: Answer, { contains, matches }: Expected): Wrong {
  if (contains !== undefined && !body.includes(contains)) {
    return { problem: 'wrong-body', message: `its body does not contain "${short(contains)}"${start(body)}` };
  }
  const isMatch = matches === undefined ? true : matchWithin(matches, body, limits.verifyPatternTime);
  if (isMatch === undefined) {
    const tooLong = `looking for /${matches?.source ?? ''}/ in its body took too long: ${describeLimit(limits.verifyPatternTime)}`;
    return { problem: 'wrong-body', message: tooLong };
  }
  if (matches !== undefined && !isMatch) {
    return { problem: 'wrong-body', message: `its body does not match /${matches.source}/${start(body)}` };
  }
  return undefined;
}

function jsonProblem({ body }: Answer, { json }: Expected): Wrong {
  if (json.length === 0) return undefined;
  const document = jsonOf(body);
  if (document === undefined) return { problem: 'wrong-json', message: `its body is not JSON${start(body)}` };
  for (const { path, value } of json) {
    const found = textAt(document, path);
    const where = formatJsonPath(path);
    if (found === undefined) return { problem: 'wrong-json', message: `its JSON has no ${where}${start(body)}` };
    if (found !== value) {
      return { problem: 'wrong-json', message: `${where} of its JSON is "${short(found)}" instead of "${value}"` };
    }
  }
  return undefined;
}

function versionProblem(
  stated: string | undefined,
  place: VersionPlace | undefined,
  wanted: string | undefined,
): Wrong {
  if (place === undefined || wanted === undefined || stated === wanted) return undefined;
  const found = stated === undefined ? 'no version' : `version "${short(stated)}"`;
  return { problem: 'wrong-version', message: `says ${found} instead of "${wanted}"` };
}

/** What load balancers say when no application has answered: Google's, Envoy's and nginx's own pages. */
const balancersWords =
  /failed_to_pick_backend|no healthy upstream|upstream connect error|upstream request timeout|The server encountered a temporary error|<center>nginx|default backend|backend NotFound/i;

function isOfBalancer({ status, body }: Answer): boolean {
  return [404, 502, 503, 504].includes(status) && balancersWords.test(body);
}

function jsonOf(body: string): Json | undefined {
  try {
    return JSON.parse(body) as Json;
  } catch {
    return undefined;
  }
}

/** The beginning of a body, for the end of a sentence. */
function start(body: string): string {
  const text = short(body);
  return text === '' ? '' : ` (it begins with "${text}")`;
}

function short(text: string): string {
  const line = text.slice(0, 500).trim().replaceAll(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

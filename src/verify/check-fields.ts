import { Failures, type InvalidInput } from '../base/errors.ts';
import { shownUrl } from '../base/shown-url.ts';
import { closest } from '../base/similar.ts';
import { vias, type Check, type Expected, type JsonRule, type Target } from './check.ts';
import { wrong, type Entry, type Field } from './entries.ts';
import {
  isPath,
  isPort,
  isServiceName,
  parseCount,
  parseLatency,
  parsePoints,
  parseRate,
  parseStatus,
  parseUrl,
  parseVersionPlace,
} from './field-values.ts';
import { headerProblem, type HeaderUse } from './header-rules.ts';
import { parseJsonPath } from '../base/json-path.ts';
import { isMetadataHost, metadataRefusal } from './metadata-hosts.ts';
import { mostRequests } from './trial.ts';
import { requestsNeeded } from './verdict.ts';

const keys = [
  'name',
  'url',
  'path',
  'service',
  'port',
  'via',
  'pods',
  'method',
  'headers',
  'send',
  'status',
  'response-headers',
  'body',
  'json',
  'requests',
  'timeout',
  'max-error-rate',
  'max-p95',
  'version',
  'share',
] as const;

type Key = (typeof keys)[number];

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/** Enough to show that a version works; whoever wants to know a rate says which. */
const defaultRequests = 20;
/** As Argo Rollouts has it for web metrics. */
const defaultTimeoutMs = 10_000;
const defaultShareTolerance = 5;

/**
 * The check that an entry of the input means.
 * @param budgetMs how long all waits of the run may take together, where that is known
 * @throws Failures with everything that is wrong with it
 */
export function checkFrom(entry: Entry, budgetMs?: number): Check {
  const reader = new Reader(entry);
  const check = readCheck(reader, entry.line, budgetMs);
  reader.finish();
  return check;
}

function readCheck(reader: Reader, line: number, budgetMs: number | undefined): Check {
  const target = readTarget(reader);
  const eachPod = reader.choice('pods', ['each']) === 'each';
  const via = reader.choice('via', vias);
  const maxErrorRate = reader.parsed('max-error-rate', parseRate, 'a rate above 0 and below 1, such as "1%"');
  const maxP95Ms = reader.parsed('max-p95', parseLatency, 'a duration, such as "300ms"');
  const version = reader.parsed('version', parseVersionPlace, 'a place, such as "header:X-Version" or "json:.version"');
  const requests = reader.parsed(
    'requests',
    (text) => parseCount(text, mostRequests),
    `a number up to ${mostRequests}`,
  );
  const share = reader.parsed('share', parsePoints, 'a number of percentage points, such as "5"');
  const limits = {
    ...(maxErrorRate === undefined ? {} : { maxErrorRate }),
    ...(maxP95Ms === undefined ? {} : { maxP95Ms }),
  };
  const hasClaim = maxErrorRate !== undefined || maxP95Ms !== undefined;
  const needed = requestsNeeded({ requests: hasClaim ? 1 : defaultRequests, ...limits });
  if (requests !== undefined && hasClaim && requests < needed) {
    reader.complain(
      'requests',
      `${requests} requests are too few to prove it: it takes ${needed}`,
      `Set "requests" to at least ${needed}, or leave it out.`,
    );
  }
  if (needed > mostRequests) {
    reader.complain('max-error-rate', `it takes ${needed} requests to show so low a rate`, 'Allow a higher rate.');
  }
  if (share !== undefined && version === undefined) {
    reader.complain(
      'share',
      'a share cannot be measured without "version"',
      'Say where a response has its version, such as "version: header:X-Version".',
    );
  }
  if (eachPod) {
    for (const key of ['url', 'via', 'requests', 'max-error-rate', 'max-p95', 'share', 'version'] as const) {
      if (reader.has(key)) {
        reader.complain(
          key,
          `"${key}" has no effect with "pods: each", which asks each pod once`,
          'Split it into two checks.',
        );
      }
    }
  }
  const send = reader.text('send');
  const method = reader.choice('method', methods) ?? (send === undefined ? 'GET' : 'POST');
  if (send !== undefined && (method === 'GET' || method === 'HEAD')) {
    reader.complain('send', `a ${method} sends nothing`, 'Set "method: POST", or leave "send" out.');
  }
  const name = reader.text('name') ?? describe(target, method, eachPod);
  return {
    name,
    line,
    target,
    ...(via === undefined ? {} : { via }),
    eachPod,
    method,
    headers: readHeaders(reader, 'headers', { isSent: true, throughApiServer: eachPod || via === 'proxy' }),
    ...(send === undefined ? {} : { send }),
    expected: readExpected(reader),
    requests: eachPod ? 1 : (requests ?? needed),
    timeoutMs: readTimeout(reader, maxP95Ms, budgetMs),
    ...limits,
    ...(version === undefined ? {} : { version }),
    shareTolerance: share ?? defaultShareTolerance,
  };
}

function readTarget(reader: Reader): Target {
  const url = reader.parsed('url', parseUrl, 'a URL that starts with "http://" or "https://"');
  const path = reader.parsed('path', (text) => (isPath(text) ? text : undefined), 'a path that starts with "/"');
  const service = reader.parsed('service', (text) => (isServiceName(text) ? text : undefined), 'the name of a Service');
  const port = reader.parsed('port', (text) => (isPort(text) ? text : undefined), 'the number or name of a port');
  if (reader.has('url')) {
    for (const key of ['path', 'service', 'port', 'via'] as const) {
      if (reader.has(key)) reader.complain(key, `"${key}" has no effect beside "url"`, 'Remove one of them.');
    }
    if (url !== undefined && isMetadataHost(new URL(url).hostname)) {
      const { message, hint = '' } = metadataRefusal(new URL(url).hostname);
      reader.complain('url', message, hint);
    }
    return { kind: 'url', url: url ?? '' };
  }
  if (!reader.has('path')) {
    reader.complain(undefined, 'it has nothing to request', 'Add "path: /healthz" for a Service, or "url: https://…".');
  }
  return {
    kind: 'service',
    path: path ?? '/',
    ...(service === undefined ? {} : { service }),
    ...(port === undefined ? {} : { port }),
  };
}

function readExpected(reader: Reader): Expected {
  const body = reader.map('body', 'contains') ?? new Map<string, string>();
  for (const key of body.keys()) {
    if (key !== 'contains' && key !== 'matches') {
      reader.complain(
        'body',
        `there is no "${key}" of "body"`,
        'Use a string, or a mapping with "contains" or "matches".',
      );
    }
  }
  const [contains, pattern] = [body.get('contains'), body.get('matches')];
  const matches = pattern === undefined ? undefined : readPattern(reader, pattern);
  return {
    status: reader.parsed('status', parseStatus, 'a status, such as "200" or "2xx, 404"') ?? [{ from: 200, to: 299 }],
    headers: lowerCase(readHeaders(reader, 'response-headers', { isSent: false, throughApiServer: false })),
    ...(contains === undefined ? {} : { contains }),
    ...(matches === undefined ? {} : { matches }),
    json: readJson(reader),
  };
}

function readPattern(reader: Reader, pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    reader.complain('body', `"${pattern}" is not a valid regular expression`, 'Fix it, or use "contains".');
    return undefined;
  }
}

/** How long one request may take; not longer than the whole run, and long enough for a latency that is claimed. */
function readTimeout(reader: Reader, maxP95Ms: number | undefined, budgetMs = Infinity): number {
  const given = reader.parsed('timeout', parseLatency, 'a duration, such as "10s"');
  if (given !== undefined && given > budgetMs) {
    reader.complain(
      'timeout',
      `one request can take ${given / 1000} s, and all waits of the run together ${budgetMs / 1000} s`,
      'Lower "timeout" of the check, or raise the input "timeout".',
    );
  }
  const timeoutMs = given ?? Math.min(defaultTimeoutMs, budgetMs);
  if (maxP95Ms !== undefined && maxP95Ms > timeoutMs) {
    reader.complain(
      'max-p95',
      `"max-p95" is longer than the ${timeoutMs / 1000} s after which a request counts as failed`,
      'Raise "timeout" of the check, or lower "max-p95".',
    );
  }
  return timeoutMs;
}

function readHeaders(reader: Reader, key: Key, use: HeaderUse): Record<string, string> {
  const headers = [...(reader.map(key) ?? [])];
  const names = new Set<string>();
  for (const [name, value] of headers) {
    const problem = headerProblem(name, value, use);
    if (problem !== undefined) reader.complain(key, problem.message, problem.hint);
    if (names.has(name.toLowerCase())) {
      reader.complain(key, `the header "${name}" is there twice`, 'Header names ignore case: remove one.');
    }
    names.add(name.toLowerCase());
  }
  return Object.fromEntries(headers);
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function readJson(reader: Reader): JsonRule[] {
  return [...(reader.map('json') ?? [])].flatMap(([text, value]) => {
    const path = parseJsonPath(text);
    if (path !== undefined) return [{ path, value }];
    reader.complain('json', `"${text}" is not a valid path`, 'Write it like ".items[0].name".');
    return [];
  });
}

function describe(target: Target, method: string, eachPod: boolean): string {
  const verb = method === 'GET' ? '' : `${method} `;
  if (target.kind === 'url') return `${verb}${shownUrl(target.url)}`;
  const { service, port, path } = target;
  const at = service === undefined ? '' : `service/${service}${port === undefined ? '' : `:${port}`}`;
  return `${verb}${at}${shownUrl(path)}${eachPod ? ' of each pod' : ''}`;
}

/** Reads the fields of an entry and keeps what is wrong with them. */
class Reader {
  readonly #entry: Entry;
  readonly #problems: InvalidInput[] = [];

  constructor(entry: Entry) {
    this.#entry = entry;
    for (const [key, { line }] of entry.fields) {
      if ((keys as readonly string[]).includes(key)) continue;
      const near = closest(key, keys);
      const hint = near === undefined ? `The keys are ${keys.join(', ')}.` : `Did you mean "${near}"?`;
      this.#problems.push(wrong(line, `there is no key "${key}"`, hint));
    }
  }

  has(key: Key): boolean {
    return this.#entry.fields.has(key);
  }

  complain(key: Key | undefined, message: string, hint: string): void {
    const field = key === undefined ? undefined : this.#entry.fields.get(key);
    this.#problems.push(wrong(field?.line ?? this.#entry.line, message, hint));
  }

  text(key: Key): string | undefined {
    const value = this.#value(key);
    if (value === undefined || typeof value === 'string') return value;
    this.complain(key, `"${key}" must be a string`, 'Write one value for it.');
    return undefined;
  }

  /** @param what completes "… is not …" */
  parsed<T>(key: Key, parse: (text: string) => T | undefined, what: string): T | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const value = parse(text);
    const shown = key === 'url' || key === 'path' ? shownUrl(text) : text;
    if (value === undefined) this.complain(key, `"${key}" is "${shown}", which is not ${what}`, 'Fix it.');
    return value;
  }

  choice<T extends string>(key: Key, values: readonly T[]): T | undefined {
    const quoted = values.map((value) => `"${value}"`).join(', ');
    const what = values.length === 1 ? quoted : `one of ${quoted}`;
    return this.parsed(key, (text) => values.find((value) => value === text), what);
  }

  /** @param textKey the key that a text alone stands for */
  map(key: Key, textKey?: string): ReadonlyMap<string, string> | undefined {
    const value = this.#value(key);
    if (typeof value !== 'string') return value;
    if (textKey !== undefined) return new Map([[textKey, value]]);
    this.complain(key, `"${key}" must be a mapping`, 'Write "NAME: VALUE" below it.');
    return undefined;
  }

  /** @throws Failures when anything is wrong */
  finish(): void {
    const [first] = this.#problems;
    if (first !== undefined) throw new Failures(first.message, this.#problems);
  }

  #value(key: Key): Field['value'] | undefined {
    return this.#entry.fields.get(key)?.value;
  }
}

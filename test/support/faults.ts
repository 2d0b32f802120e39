import { isStream, isWrite, type Asked } from './forwarding.ts';

/** What becomes of one request while a fault lasts. */
export type Treatment =
  /** The answer comes from somebody else, and the API server hears nothing of it. */
  | { do: 'answer'; status: number; headers?: Readonly<Record<string, string>>; text: string }
  /** The connection breaks before the API server hears of it, or before its answer arrives. */
  | { do: 'reset'; when: 'before' | 'after' }
  /** Of the answer comes the first half, as if it were whole or with the length of the whole. */
  | { do: 'halve'; length: 'of the half' | 'of the whole' }
  /** The head of an answer comes and no more, or nothing at all. */
  | { do: 'stall'; after: 'nothing' | 'headers' }
  /** A watch is told that its place is forgotten, or is open without a word. */
  | { do: 'forget' }
  | { do: 'mute' }
  /** The API server answers, with something else about it. */
  | { do: 'pass'; delayMs?: number; lastOfConnection?: true; dateShiftMs?: number }
  /** The API server hears of it once that is done which happens to the cluster. */
  | { do: 'hold' };

/** What becomes of connections while a fault lasts. */
export type Link = 'refused' | 'black hole' | 'cut in the handshake' | 'other certificate';

export interface Fault {
  name: string;
  /** For so many of the requests that it concerns, for so long, or for good. */
  lasts: { requests: number } | { ms: number } | 'for good';
  link?: Link;
  /** Undefined where the request is none of those that the fault concerns. */
  treat?(asked: Asked): Treatment | undefined;
  /** What happens to the cluster itself when it begins. */
  happens?(): Promise<void>;
  /** By how much the clock of the runner is ahead of that of the API server. */
  runnerAheadMs?: number;
}

function answered(code: number, reason: string, headers: Record<string, string> = {}): Treatment {
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message: `${reason}: a fault`, code };
  const json = { 'content-type': 'application/json', ...headers };
  return { do: 'answer', status: code, headers: json, text: JSON.stringify(status) };
}

function foreign(status: number, text: string, type: string, headers: Record<string, string> = {}): Treatment {
  return { do: 'answer', status, headers: { 'content-type': type, ...headers }, text };
}

const whole = () => true;
const onlyWrites = (asked: Asked) => isWrite(asked);
const onlyWatches = ({ url }: Asked) => /[?&]watch=/.test(url);
const onlyAnswers = ({ url }: Asked) => !isStream(url);

/** The same for each request that it concerns. */
function each(
  name: string,
  lasts: Fault['lasts'],
  treatment: Treatment,
  concerns: (asked: Asked) => boolean = whole,
): Fault {
  return { name, lasts, treat: (asked) => (concerns(asked) ? treatment : undefined) };
}

const page = '<!doctype html><title>Sign in</title><h1>Welcome</h1>';
const html = 'text/html; charset=utf-8';
const json = 'application/json';
const soon = { ms: 3000 };

const retryAfters: Readonly<Record<string, () => Record<string, string>>> = {
  'without Retry-After': () => ({}),
  'Retry-After: 0': () => ({ 'retry-after': '0' }),
  'Retry-After: 2': () => ({ 'retry-after': '2' }),
  'Retry-After: a date': () => ({ 'retry-after': new Date(Date.now() + 3000).toUTCString() }),
  'Retry-After: soon': () => ({ 'retry-after': 'soon' }),
  'Retry-After: -5': () => ({ 'retry-after': '-5' }),
  'Retry-After: 86400': () => ({ 'retry-after': '86400' }),
};

const throttles = Object.entries(retryAfters).map(([name, headers]): Fault => ({
  name: `429 ${name}`,
  lasts: { requests: 3 },
  treat: () => answered(429, 'TooManyRequests', headers()),
}));

const foreigners: Fault[] = [
  each('200 with a page', soon, foreign(200, page, html)),
  each('403 with a page', soon, foreign(403, page, html)),
  each('404 with a page', soon, foreign(404, page, html)),
  each('404 as plain text', soon, foreign(404, 'default backend - 404', 'text/plain')),
  each('200 []', soon, foreign(200, '[]', json)),
  each('200 null', soon, foreign(200, 'null', json)),
  each('200 {}', soon, foreign(200, '{}', json)),
  each('200 with nothing', soon, foreign(200, '', json)),
  each('a redirect', soon, foreign(302, '', html, { location: 'https://login.example.com/' })),
];

/** Faults that pass by themselves within seconds. */
const passing: Fault[] = [
  each('409', { requests: 2 }, answered(409, 'Conflict'), onlyWrites),
  each('410 at the start of a watch', { requests: 3 }, answered(410, 'Expired'), onlyWatches),
  each('410 in a stream', { requests: 3 }, { do: 'forget' }, onlyWatches),
  ...throttles,
  each('500', soon, answered(500, 'InternalError')),
  each('502', soon, foreign(502, page, html)),
  each('503', soon, answered(503, 'ServiceUnavailable')),
  each('503 Retry-After: 1', soon, answered(503, 'ServiceUnavailable', { 'retry-after': '1' })),
  each('504', soon, answered(504, 'Timeout')),
  each('resets before the effect', { requests: 3 }, { do: 'reset', when: 'before' }),
  each('resets after the effect', { requests: 3 }, { do: 'reset', when: 'after' }),
  each('half of the JSON', { requests: 3 }, { do: 'halve', length: 'of the half' }, onlyAnswers),
  each('half of the length', { requests: 3 }, { do: 'halve', length: 'of the whole' }, onlyAnswers),
  each('a stall after the headers', { requests: 1 }, { do: 'stall', after: 'headers' }),
  each('a stall before the answer', { requests: 1 }, { do: 'stall', after: 'nothing' }),
  ...foreigners,
  each('a silent watch', { requests: 2 }, { do: 'mute' }, onlyWatches),
  each('closed connections', { ms: 10_000 }, { do: 'pass', lastOfConnection: true }),
  { name: 'handshakes cut', lasts: soon, link: 'cut in the handshake' },
  { name: 'another certificate', lasts: soon, link: 'other certificate' },
  each('401 for a while', soon, answered(401, 'Unauthorized')),
  each('a slow link', { ms: 15_000 }, { do: 'pass', delayMs: 300 }),
  each('a server 10 minutes ahead', 'for good', { do: 'pass', dateShiftMs: 600_000 }),
  { name: 'a runner 10 minutes ahead', lasts: 'for good', runnerAheadMs: 600_000 },
  { name: 'a runner 10 minutes behind', lasts: 'for good', runnerAheadMs: -600_000 },
];

/** Longer than a lock lasts whose holder is silent. */
const outages: Fault[] = [
  { name: 'refused for 35 s', lasts: { ms: 35_000 }, link: 'refused' },
  { name: 'a black hole for 35 s', lasts: { ms: 35_000 }, link: 'black hole' },
];

const endless: Fault[] = [
  { name: 'refused for good', lasts: 'for good', link: 'refused' },
  { name: 'a black hole for good', lasts: 'for good', link: 'black hole' },
  each('401 for good', 'for good', answered(401, 'Unauthorized')),
  each('503 for good', 'for good', answered(503, 'ServiceUnavailable')),
  each('429 for good', 'for good', answered(429, 'TooManyRequests', { 'retry-after': '1' })),
  each('a page for good', 'for good', foreign(200, page, html)),
  each('409 for good', 'for good', answered(409, 'Conflict'), onlyWrites),
  each('silence for good', 'for good', { do: 'stall', after: 'nothing' }),
];

export const faults = { passing, outages, endless };

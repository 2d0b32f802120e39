import { Failure } from '../../base/errors.ts';
import { isStatus } from '../../kubernetes/errors.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Context } from '../../release/context.ts';
import { servicePort } from '../../traffic/ports.ts';
import type { Attempt } from '../../verify/answer.ts';
import type { Question } from '../../verify/direct.ts';
import { serviceWays, urlWay, type Way } from '../../verify/ways.ts';

/** How often a place is asked, and for how long one answer may take, in ms. */
const pollMs = 1_000;
const question: Question = { method: 'GET', path: '/', headers: {}, timeoutMs: 5_000 };

/** Where a preview may answer, and what is behind it. */
interface Places {
  /** URLs without a slash at their end, the likeliest first. */
  urls: readonly string[];
  /** What is behind them: asked through the API server. */
  service: KubernetesObject | undefined;
}

/** Where it answers. `url` is absent where it has none; `by` says who has got the answer. */
export interface Answering {
  url?: string;
  /** `nobody`: neither has the runner a way to it, nor may it ask the cluster. */
  by: 'runner' | 'cluster' | 'nobody';
}

type Watcher = Pick<Context, 'client' | 'clock' | 'signal'>;

/**
 * Waits until a preview answers, whatever it says, as long as that is no error of a server. A gateway that does not know the host yet
 * says 404: that counts only where the Service itself says it too.
 * @param deadline milliseconds since the epoch
 * @returns undefined where there is nobody to ask: no URL, and no Service
 * @throws Failure when nothing answers in time; the reason of the signal
 */
export async function untilAnswering(
  { client, clock, signal }: Watcher,
  { urls, service }: Places,
  deadline: number,
): Promise<Answering | undefined> {
  const inside = service === undefined ? undefined : insideWay(client, service);
  if (urls.length === 0 && inside === undefined) return undefined;
  for (;;) {
    const found = await askAll({ urls, inside }, signal);
    if (found.state === 'answering') return found.answering;
    if (clock.now() >= deadline) throw silent(found);
    await clock.sleep(pollMs, signal);
  }
}

type Found = { state: 'answering'; answering: Answering } | { state: 'silent'; where: string; attempt: Attempt };

async function askAll(
  { urls, inside }: { urls: readonly string[]; inside: Way | undefined },
  signal: AbortSignal,
): Promise<Found> {
  const asked = await Promise.all(
    urls.map(async (url) => ({ url, attempt: await urlWay(`${url}/`).ask(question, signal) })),
  );
  const behind = inside === undefined ? undefined : await askInside(inside, signal);
  if (behind === 'forbidden' && asked.every(({ attempt }) => attempt.state === 'lost'))
    return { state: 'answering', answering: { by: 'nobody' } };
  return judge(asked, behind === 'forbidden' ? undefined : behind, inside);
}

/** By the API server, which may not let us. */
async function askInside(inside: Way, signal: AbortSignal): Promise<Attempt | 'forbidden'> {
  try {
    return await inside.ask(question, signal);
  } catch (error) {
    if (isStatus(error, 403)) return 'forbidden';
    throw error;
  }
}

function judge(
  asked: readonly { url: string; attempt: Attempt }[],
  behind: Attempt | undefined,
  inside: Way | undefined,
): Found {
  const own = behind?.state === 'answered' ? behind.answer.status : undefined;
  const found = asked.find(({ attempt }) => isAnswer(attempt, own));
  if (found !== undefined) return { state: 'answering', answering: { url: found.url, by: 'runner' } };
  const [first] = asked;
  const isOutOfReach = asked.every(({ attempt }) => attempt.state === 'lost');
  if (isOutOfReach && behind !== undefined) {
    const url = first === undefined ? {} : { url: first.url };
    return isAnswer(behind, own)
      ? { state: 'answering', answering: { ...url, by: 'cluster' } }
      : { state: 'silent', where: inside?.description ?? '', attempt: behind };
  }
  const attempt = first?.attempt ?? behind ?? { state: 'lost', message: 'there is nothing to send a request to' };
  return { state: 'silent', where: `at ${first?.url ?? ''}`, attempt };
}

/** @param own the status that the Service itself answers with */
function isAnswer(attempt: Attempt, own: number | undefined): boolean {
  if (attempt.state !== 'answered' || attempt.answer.status >= 500) return false;
  return attempt.answer.status !== 404 || own === undefined || own === 404;
}

/** By the API server, to which there is a way in any case. */
function insideWay(client: Context['client'], service: KubernetesObject): Way | undefined {
  const port = servicePort(service, undefined);
  return port === undefined ? undefined : serviceWays(client, service, port).at(-1);
}

function silent({ where, attempt }: Extract<Found, { state: 'silent' }>): Failure {
  const why = attempt.state === 'answered' ? `status ${attempt.answer.status}` : attempt.message;
  return new Failure(`the preview is deployed, but does not answer ${where}: ${why}`, {
    hint: 'Check that the host points to the gateway or ingress controller of this cluster, which accepts routes of the namespace; or check the logs of its pods.',
  });
}

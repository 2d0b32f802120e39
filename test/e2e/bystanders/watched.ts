import { figure } from '../../support/figure.ts';
import { SteadyLoad, totalOf } from '../../support/steady-load.ts';
import type { Stage } from '../../support/strategy-stage.ts';
import { waitUntil } from '../../cluster/run.ts';

const perSecond = 300;
const maxSeconds = 240;

/** The rules of kube-proxy are that far behind at most, when an EndpointSlice has changed. */
const settleMs = 1000;

/** What clients of a Service see while something is done. */
export interface Seen {
  sent: number;
  lost: string[];
  /** Versions that answered in the second before it, and in the one after it. */
  before: string[];
  after: string[];
}

/** Does something while 300 requests a second go to a Service of the stage, each on a connection of its own. */
export async function watched(
  stage: Stage,
  service: string,
  work: (versions: () => Promise<string[]>) => Promise<void>,
): Promise<Seen> {
  const url = await stage.urlOf(service);
  await waitUntil(
    `${service} answers`,
    60_000,
    async () => (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok,
  );
  await using load = new SteadyLoad(url, { perSecond, maxSeconds });
  const versions = async () => {
    const from = Date.now() + settleMs;
    await load.reaches(from + 1000);
    const { answers } = load.sentBetween(from, from + 1000);
    return Object.keys(answers).sort();
  };
  const before = await versions();
  await work(versions);
  const after = await versions();
  const { sent, lost } = await load.stop();
  figure(`bystanders-${service}-requests`, sent);
  figure(`bystanders-${service}-lost`, totalOf(lost));
  return { sent, lost: load.losses(), before, after };
}

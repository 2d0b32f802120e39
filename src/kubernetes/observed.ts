import type { TimedRequest } from './request-timeline.ts';

/** Told of each attempt at a request once it has ended. */
export type OnRequest = (request: TimedRequest) => void;

/** Awaits an attempt at a request, and tells of it. @param statusOf of what came of it; undefined when no answer did */
export async function observed<T>(
  onRequest: OnRequest | undefined,
  { method: verb, path, query }: { method: string; path: string; query?: Readonly<Record<string, string>> },
  attempt: Promise<T>,
  statusOf: (result: T) => number | undefined,
): Promise<T> {
  const startedAt = performance.now();
  let status: number | undefined;
  try {
    const result = await attempt;
    status = statusOf(result);
    return result;
  } finally {
    const isDryRun = query?.['dryRun'] !== undefined;
    onRequest?.({ verb, path, isDryRun, startedAt, endedAt: performance.now(), status });
  }
}

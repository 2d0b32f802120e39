import type { KubernetesClient } from '../kubernetes/client.ts';
import type { WhatRuns } from '../release/context.ts';
import { commitOf, listRevisions, liveRevision } from '../release/revision.ts';
import type { Report } from '../report/report.ts';

/** The commit of what is live, for commands that change nothing of the version; told to the report, too. */
export async function commitThatRuns(
  client: KubernetesClient,
  { namespace, release }: { namespace: string; release: string },
  report: Report,
): Promise<Omit<WhatRuns, 'command'>> {
  const revisions = await listRevisions(client, namespace, release);
  const commit = commitOf(liveRevision(revisions), revisions);
  report.tellCommits({ now: commit });
  return commit === undefined ? {} : { commit };
}

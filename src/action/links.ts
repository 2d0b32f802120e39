import { parseGkeContext } from '../google/cluster-name.ts';
import { defaultUniverse, firstOf, universeOf } from '../google/hosts.ts';
import type { Links, RunReport } from '../report/run-report.ts';
import type { GitHubRun } from './github-run.ts';

/**
 * Where there is more to see of a run, and who runs.
 * @param run absent where this is no run of GitHub Actions
 * @param env says where Google's console is another one
 */
export function linksOf(
  { context, namespace }: Pick<RunReport, 'context' | 'namespace'>,
  run: GitHubRun | undefined,
  env: NodeJS.ProcessEnv = process.env,
): Links {
  const universe = firstOf(env, ['INPUT_UNIVERSE-DOMAIN']) ?? universeOf(env) ?? defaultUniverse;
  const console = universe === defaultUniverse ? consoleOf(context ?? '', namespace) : undefined;
  const uses = usesOf(env);
  const { repository, attemptUrl, actor, pullRequest } = run ?? {};
  return {
    ...(repository === undefined ? {} : { repository }),
    ...(attemptUrl === undefined ? {} : { run: attemptUrl }),
    ...(actor === undefined ? {} : { actor }),
    ...(uses === undefined ? {} : { uses }),
    ...(pullRequest === undefined ? {} : { pullRequest }),
    ...(console === undefined ? {} : { console }),
  };
}

/** How the workflow names this action, by what the runner says; nothing where that is a folder of the checkout. */
function usesOf({
  GITHUB_ACTION_REPOSITORY: name = '',
  GITHUB_ACTION_REF: ref = '',
}: NodeJS.ProcessEnv): string | undefined {
  return /^[\w.-]+\/[\w.-]+$/.test(name) && /^[\w./-]+$/.test(ref) ? `${name}@${ref}` : undefined;
}

/**
 * Pages of Google's console for a cluster of GKE, which is known by the name that gcloud gives its context. A page that does not
 * understand its filter shows the whole project.
 */
function consoleOf(context: string, namespace: string | undefined): Links['console'] {
  const name = parseGkeContext(context);
  if (name === undefined) return undefined;
  const { project, location, cluster } = name;
  const views = `("savedViews":("c":["gke/${location}/${cluster}"],"n":[${namespace === undefined ? '' : `"${namespace}"`}]))`;
  const query = [
    'resource.type="k8s_container"',
    `resource.labels.project_id="${project}"`,
    `resource.labels.location="${location}"`,
    `resource.labels.cluster_name="${cluster}"`,
    ...(namespace === undefined ? [] : [`resource.labels.namespace_name="${namespace}"`]),
  ].join('\n');
  const base = 'https://console.cloud.google.com';
  return {
    workloads: `${base}/kubernetes/workload/overview?project=${encoded(project)}&pageState=${encoded(views)}`,
    logs: `${base}/logs/query;query=${encoded(query)}?project=${encoded(project)}`,
  };
}

/** Parentheses are encoded as well: they would end a link of Markdown. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll('(', '%28').replaceAll(')', '%29');
}

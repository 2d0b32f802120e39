/** What one flavor of a queue lacks for good, as Kueue says it (kubernetes-sigs/kueue pkg/scheduler/flavorassigner). */
const exceeds =
  /insufficient quota for \S+ in flavor \S+, (?:request|previously considered podsets requests \([^()]*\) \+ current podset request \([^()]*\)) > maximum capacity \([^()]*\)/g;
const mismatches = [
  /flavor \S+ doesn't match node affinity/g,
  /untolerated taint \{[^{}]*\} in flavor [^\s,]+/g,
  /flavor [^\s,]+ not found/g,
  /resource \S+ unavailable in ClusterQueue/g,
];
const podSet = /^couldn't assign flavors to pod set \S+: /;

/**
 * The reason that a message stands for, where Kueue gives all that waits the reason `Pending`: before 0.19, or with its feature
 * UnadmittedWorkloadsObservability off. A set of pods waits for good when each flavor that the message names is ruled out.
 */
export function reasonIn(message: string): 'ExceedsMaxQuota' | 'NoMatchingFlavor' | 'Misconfigured' | undefined {
  if (message.startsWith("Workload namespace doesn't match ClusterQueue selector")) return 'Misconfigured';
  const sets = message.split(/; (?=couldn't assign flavors to pod set )/).filter((part) => podSet.test(part));
  for (const set of sets) {
    const flavors = set.replace(podSet, '');
    const withoutMismatches = mismatches.reduce((text, each) => text.replaceAll(each, ''), flavors);
    const rest = withoutMismatches.replaceAll(exceeds, '');
    if (/[^\s,.]/.test(rest)) continue;
    return rest === withoutMismatches ? 'NoMatchingFlavor' : 'ExceedsMaxQuota';
  }
  return undefined;
}

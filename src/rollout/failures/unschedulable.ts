/** What the scheduler's sentence about a pod says: `0/3 nodes are available: 3 Insufficient cpu. preemption: …`. */
interface Refusal {
  /** In words; without the part about preemption. */
  words: string;
  hint: string;
  /** Of which the nodes have too little. */
  resources: string[];
  /** Other pods are in the way, not what the nodes are: what they take, their hostPorts, or an anti-affinity. */
  isCrowded: boolean;
  /** What it asks for is more than any node has, whoever else is there. */
  isTooLarge: boolean;
}

const makeRoom = 'Lower the pod requests, free up or add nodes, or fix its nodeSelector, affinity and tolerations.';

interface Reason {
  /** As the scheduler writes it, after the number of nodes (kubernetes pkg/scheduler/framework/plugins). */
  text: RegExp;
  words: (nodes: Nodes, detail: string) => string;
  /** Where it is the only reason, and that of all nodes. */
  ofAll?: (detail: string) => string;
  /** Where it is the only reason. */
  hint?: string;
}

interface Nodes {
  /** `1 node`, `3 nodes` */
  nodes: string;
  /** `1 node has`, `3 nodes have` */
  have: string;
  isOne: boolean;
}

const reasons: readonly Reason[] = [
  {
    text: /Insufficient ([\w./-]+)/,
    words: ({ nodes }, resource) => `not enough ${resource} on ${nodes}`,
    ofAll: (resource) => `not enough ${resource}`,
  },
  { text: /Too many pods/, words: ({ have }) => `${have} the maximum number of pods` },
  {
    text: /node\(s\) had untolerated taint(?:\(s\)| \{([^\s{}]+): [^{}]*\})/,
    words: ({ have }, taint) =>
      `${have} ${taint === '' ? 'a taint' : `the taint "${taint}"`} that it does not tolerate`,
  },
  {
    text: /node\(s\) didn't match Pod's node affinity\/selector/,
    words: ({ nodes, isOne }) => `${nodes} ${isOne ? 'does' : 'do'} not match its nodeSelector or affinity`,
  },
  { text: /node\(s\) were unschedulable/, words: ({ nodes, isOne }) => `${nodes} ${isOne ? 'is' : 'are'} cordoned` },
  {
    text: /node\(s\) didn't have free ports for the requested pod ports/,
    words: ({ have }) => `${have} no free hostPort for it`,
    hint: 'Remove hostPort, or free it: a node has each port only once.',
  },
  {
    text: /node\(s\) didn't match pod anti-affinity rules/,
    words: ({ have }) => `${have} a pod that its podAntiAffinity excludes`,
    hint: 'Add nodes, or make its podAntiAffinity a preferred one.',
  },
  {
    text: /node\(s\) didn't satisfy existing pods anti-affinity rules/,
    words: ({ have }) => `${have} a pod whose podAntiAffinity excludes it`,
    hint: 'Add nodes, or make the podAntiAffinity of the other pods a preferred one.',
  },
  {
    text: /node\(s\) didn't match pod affinity rules/,
    words: ({ have }) => `${have} no pod that its podAffinity requires`,
    hint: 'Check that the pods its podAffinity requires are running, or fix it.',
  },
  {
    text: /node\(s\) didn't match pod topology spread constraints \(missing required label\)/,
    words: ({ nodes, isOne }) =>
      `${nodes} ${isOne ? 'lacks' : 'lack'} the label that its topologySpreadConstraints use`,
    hint: 'Fix topologyKey in its topologySpreadConstraints, or label the nodes.',
  },
  {
    text: /node\(s\) didn't match pod topology spread constraints(?! \(missing)/,
    words: ({ nodes, isOne }) => `${nodes} ${isOne ? 'is' : 'are'} ruled out by its topologySpreadConstraints`,
    hint: 'Add nodes where it has fewest pods, raise maxSkew, or set "whenUnsatisfiable: ScheduleAnyway".',
  },
  {
    text: /node\(s\) (?:had volume node affinity conflict|didn't match PersistentVolume's node affinity)/,
    words: ({ nodes, isOne }) => `${nodes} ${isOne ? 'is' : 'are'} not where its volume is`,
    hint: 'Add or free up a node in the zone of its PersistentVolume.',
  },
  {
    text: /node\(s\) didn't find available persistent volumes to bind/,
    words: ({ nodes }) => `no PersistentVolume on ${nodes} is available for its claim`,
    hint: 'Create a PersistentVolume for the claim, or give it a StorageClass that creates one.',
  },
  {
    text: /node\(s\) exceed max volume count/,
    words: ({ have }) => `${have} the maximum number of volumes`,
    hint: 'Add nodes: each one takes a limited number of disks.',
  },
  {
    text: /node\(s\) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod/,
    words: () => 'its ReadWriteOncePod claim is in use by another pod',
    hint: 'Stop the other pod first: use the strategy Recreate, or another access mode.',
  },
  {
    text: /(?:node\(s\) )?cannot allocate all claims/,
    words: ({ nodes }) => `${nodes} cannot allocate the devices of its resourceClaims`,
    hint: 'Free up or add such devices, or fix the ResourceClaim: its device class, selectors and count.',
  },
];

/** Reads the message of the condition PodScheduled. */
export function readRefusal(message: string): Refusal {
  const [before = '', preemption = ''] = message.split(/(?:no new claims to deallocate, )?preemption: /, 2);
  const list = before
    .trimEnd()
    .replace(/^0\/\d+ nodes are available: /, '')
    .replace(/\.(?: not found)?$/, '');
  const matches = reasons.filter(({ text }) => new RegExp(`(?<!\\d)\\d+ ${text.source}`).test(list));
  const [only] = matches;
  const resources = [...list.matchAll(/(?<!\d)\d+ Insufficient ([\w./-]+)/g)].map(([, resource = '']) => resource);
  const isTooLarge = resources.length > 0 && isHopeless(preemption);
  const large = `No eligible node has that much ${resources.join(' and ')}, even when empty: add larger nodes, or lower the pod requests.`;
  const suffix = [
    ...(isTooLarge ? ['even an empty node is too small'] : []),
    ...(preemption.includes('preemptionPolicy=Never')
      ? ['its preemptionPolicy Never keeps lower-priority pods in place']
      : []),
  ];
  const nodes = /^0\/(?<nodes>\d+) nodes are available/.exec(message)?.groups?.['nodes'];
  return {
    words: [
      `pod cannot be scheduled: ${inWords(list, nodes)}${nodes === undefined ? '' : ` (0 of ${nodes} nodes fit)`}`,
      ...suffix,
    ].join('; '),
    hint: isTooLarge ? large : ((matches.length === 1 ? only?.hint : undefined) ?? makeRoom),
    resources,
    isCrowded: /Insufficient|Too many pods|free ports|anti-affinity/.test(list),
    isTooLarge,
  };
}

/** Whether no pod could be taken away from any node so that it would fit: `0/3 nodes are available: 3 Preemption is not helpful …`. */
function isHopeless(preemption: string): boolean {
  const parts = /^0\/(?<all>\d+) nodes are available: (?<hopeless>\d+) Preemption is not helpful/.exec(
    preemption,
  )?.groups;
  return parts !== undefined && parts['all'] === parts['hopeless'];
}

/** @param all how many nodes there are */
function inWords(list: string, all: string | undefined): string {
  const replaced = reasons.reduce(
    (text, { text: form, words, ofAll }) =>
      text.replaceAll(
        new RegExp(`(?<!\\d)(\\d+) ${form.source}`, 'g'),
        (found: string, count: string, named?: unknown) => {
          const detail = typeof named === 'string' ? named : '';
          return ofAll !== undefined && count === all && found === list ? ofAll(detail) : words(nodesOf(count), detail);
        },
      ),
    list,
  );
  return replaced.replaceAll(/(?<!\d)(\d+) node\(s\)/g, (_, count: string) => nodesOf(count).nodes);
}

function nodesOf(count: string): Nodes {
  const isOne = count === '1';
  const nodes = isOne ? '1 node' : `${count} nodes`;
  return { nodes, have: `${nodes} ${isOne ? 'has' : 'have'}`, isOne };
}

/**
 * The one table of outputs: action.yml, the README and what `setOutputs` sets all come from it. After a change run
 * `script/docs`.
 */
export const outputTable = {
  status: {
    description:
      'The outcome: `deployed`, `scaled`, `paused` (by the command, or applied while a pause or an update strategy holds the pods), `resumed`, `restarted`, `rolled-back`, `aborted`, `reported`, `planned`, `unchanged`, `waiting` (for `promote` or `abort`), `skipped` and `superseded` (a preview that is not wanted, or that a newer run deploys), `torn-down`, `swept`, `undone` (failed, and everything was rolled back), `failed` or `cancelled`.',
    example: 'deployed',
  },
  release: { description: 'The name of the release.', example: 'shop' },
  namespace: { description: 'The namespace of the release.', example: 'shop' },
  revision: { description: 'The revision that this run created.', example: '7' },
  'previous-revision': { description: 'The revision that was live before.', example: '6' },
  images: {
    description:
      'The images of the workloads, as JSON. If the list is longer than GitHub accepts, only the first entries: see docs/secrets.md.',
    example:
      '[{"kind":"Deployment","namespace":"shop","name":"web","container":"web","image":"registry.example.com/shop/web:1.4.2"}]',
  },
  url: {
    description: 'The URL of the first LoadBalancer Service, without a trailing slash: `"$URL/version"`.',
    example: 'http://203.0.113.7',
  },
  'external-ip': {
    description: 'The IP address of that Service, or its host name if it has none.',
    example: '203.0.113.7',
  },
  changed: {
    description: 'The objects that were created or configured, as JSON. An undo may have reverted them.',
    example: '[{"kind":"Deployment","namespace":"shop","name":"web","change":"configured"}]',
  },
  plan: {
    description:
      'What a deploy would do, as JSON: `objects` with `change` (`create`, `change`, `unchanged`, `leave`), `fields`, `basis` and `only`, `steps` with `title` and `writes`, `pods`, `extraPods`, `end`, `stays`, `missingRights`; only for the command `plan`. If it is longer than GitHub accepts, it has no `fields`; if still too long, only `end`, `extraPods` and `cut`.',
    example:
      '{"objects":[{"kind":"Deployment","namespace":"shop","name":"web","change":"change","fields":[{"field":"image of container \\"web\\"","change":"changed","before":"web:1","after":"web:2"}]}],"steps":[{"title":"Apply all objects, and wait until they are ready","writes":[{"kind":"Deployment","namespace":"shop","name":"web","change":"change"}]}],"pods":[],"extraPods":0,"end":"live","stays":[]}',
  },
  healthy: {
    description:
      'Whether the whole release is present and ready, including a waiting canary: `true` or `false`; only for the command `status`.',
    example: 'true',
  },
  history: {
    description:
      'The revisions of the release, newest first, as JSON; only for the command `status`. Each may have the `reason` that was given, the `cause` of a failure, and `events`: what was done to it since without a new revision, each with `command` (such as `scale`), `outcome` (`done`, `undone`, `failed`), `at`, `what`, `actor`, `run`, `reason` and `cause`. Then the revisions that Kubernetes keeps of a workload, with `workload`, `state`, `createdAt`, `replicas`, `ready` and `changeCause`.',
    example:
      '[{"revision":7,"outcome":"live","finishedAt":"2026-11-25T10:12:00Z","images":["registry.example.com/shop/web:1.4.2"],"commit":"0123abc","actor":"octocat"}]',
  },
  failure: {
    description: 'Why the run failed, as JSON; empty if it did not.',
    example:
      '{"reason":"ImagePullBackOff","message":"container \\"web\\": image \\"registry.example.com/shop/web:9\\" not found","hint":"Push the image first.","object":{"kind":"Pod","namespace":"shop","name":"web-5d4c-x7k2p"}}',
  },
  'pull-request': {
    description: 'The number of the pull request of the preview; only for the commands `preview` and `teardown`.',
    example: '7',
  },
  'comment-url': {
    description: 'The URL of the comment about the preview; empty if there is none.',
    example: 'https://github.com/acme/shop/pull/7#issuecomment-1',
  },
  'expires-at': {
    description: 'When the preview expires, in UTC; empty if it does not.',
    example: '2026-11-28T10:12:00Z',
  },
  removed: {
    description: 'The previews that `teardown` removed, or would remove with `dry-run`, as JSON.',
    example: '[{"namespace":"shop-pr-7","pullRequest":7,"release":"shop","reason":"the pull request was merged"}]',
  },
  'traffic-share': {
    description: 'The measured share of requests that the canary gets, in percent; empty without a canary.',
    example: '25',
  },
} as const satisfies Record<string, { description: string; example: string }>;

export type OutputId = keyof typeof outputTable;

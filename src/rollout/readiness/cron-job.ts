import { booleanAt, stringAt } from '../../base/json.ts';
import { ready, type Rule } from './rule.ts';

export const cronJob: Rule = {
  kinds: [{ kind: 'CronJob', group: 'batch' }],
  ready: 'it is applied: its Jobs run at their own time',
  failed: 'never',
  source: 'kubernetes pkg/controller/cronjob; as kubectl, krane and helm',
  judge: (object) =>
    ready(
      booleanAt(object, 'spec', 'suspend') === true
        ? 'suspended'
        : `its schedule is "${stringAt(object, 'spec', 'schedule') ?? ''}"`,
    ),
};

import type { Rule } from '../rule.ts';
import { awaitConditions, readyAs } from './patience.ts';

export const managedPrometheus: Rule = {
  kinds: ['PodMonitoring', 'ClusterPodMonitoring', 'ClusterNodeMonitoring', 'Rules', 'ClusterRules', 'GlobalRules'].map(
    (kind) => ({ kind, group: 'monitoring.googleapis.com' }),
  ),
  ready:
    'ConfigurationCreateSuccess is True for this generation; accepted after 60 s without a status, which older versions never set',
  failed: 'ConfigurationCreateSuccess is False for 20 s',
  source: 'prometheus-engine pkg/operator/apis/monitoring/v1 (MonitoringStatus)',
  judge: (object, facts) =>
    readyAs(
      awaitConditions(object, facts, {
        types: ['ConfigurationCreateSuccess'],
        observed: 'status',
        failing: [{ type: 'ConfigurationCreateSuccess', graceMs: 20_000, hint: 'Fix what the message says.' }],
      }),
      'configured',
    ),
};

import { objectsAt, stringAt } from '../../../base/json.ts';
import { condition } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { isSinceWrite, ready, unchecked, type Facts, type Rule } from '../rule.ts';

export const istio: Rule = {
  kinds: ['networking.istio.io', 'security.istio.io', 'telemetry.istio.io', 'extensions.istio.io'].map((group) => ({
    kind: '*',
    group,
  })),
  ready: 'it is applied: Istio sets a status only when told to; what its analysis reports after this write is told',
  failed: 'never',
  source: 'istio documentation of configuration status (PILOT_ENABLE_STATUS); istio/istio#31931 for the generation',
  judge,
};

function judge(object: KubernetesObject, facts: Facts): Verdict {
  const analysis = condition(object, 'PassedAnalysis');
  if (analysis?.status !== 'False' || !isSinceWrite(analysis, facts)) return ready('applied');
  const codes = objectsAt(object, 'status', 'validationMessages').flatMap((one) => {
    const code = stringAt(one, 'type', 'code');
    return code === undefined ? [] : [`${code} ${stringAt(one, 'type', 'name') ?? ''}`.trim()];
  });
  const said = codes.length > 0 ? codes.join(', ') : analysis.message;
  return unchecked(`applied, but its analysis found problems${said === '' ? '' : `: ${said}`}`);
}

import type { JsonObject } from '../../../src/base/json.ts';
import { container } from '../../support/objects.ts';
import { nowIs, restsMs, type Play } from './play.ts';

const object = (image: string) => {
  const { name, ...rest } = container({ image });
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { template: { spec: { containers: [{ ...rest, name, ports: [{ containerPort: 8080 }] }] } } },
  };
};

const outOfDate = 'The Configuration is still working to reflect the latest desired specification.';
const notConfigured = 'Ingress has not yet been reconciled.';
const crashed = 'Revision "web-00003" failed with message: Container failed with: panic: no configuration.';

/** Its three conditions, of which Ready sums up the others; none names a generation. */
function conditions(configuration: JsonObject, route: JsonObject): JsonObject[] {
  const bad = [configuration, route].find(({ status }) => status !== 'True');
  return [configuration, bad === undefined ? nowIs('Ready', 'True') : { ...bad, type: 'Ready' }, route];
}

const traffic = (revisionName: string) => ({
  address: { url: 'http://web.shop.svc.cluster.local' },
  traffic: [{ latestRevision: true, percent: 100, revisionName }],
  url: 'http://web.shop.example.com',
});

const serving = (observedGeneration: number, revision: string): JsonObject => ({
  observedGeneration,
  conditions: conditions(nowIs('ConfigurationsReady', 'True'), nowIs('RoutesReady', 'True')),
  latestCreatedRevisionName: revision,
  latestReadyRevisionName: revision,
  ...traffic(revision),
});

/** Its controller repeats what its Configuration and its Route say. */
export const knativeService: Play = {
  definition: 'services.serving.knative.dev',
  sequences: [
    {
      about: 'is awaited until its revision is ready and gets its traffic',
      object: object('registry.test/ctwoc:1.0.0'),
      moves: [
        {
          after: 'waiting for the controller',
          statuses: () => [
            {
              observedGeneration: 1,
              conditions: conditions(
                nowIs('ConfigurationsReady', 'Unknown', 'OutOfDate', outOfDate),
                nowIs('RoutesReady', 'Unknown'),
              ),
            },
          ],
        },
        {
          after: `not ConfigurationsReady yet: OutOfDate: ${outOfDate}`,
          statuses: () => [
            {
              observedGeneration: 1,
              conditions: conditions(nowIs('ConfigurationsReady', 'Unknown'), nowIs('RoutesReady', 'Unknown')),
              latestCreatedRevisionName: 'web-00001',
            },
          ],
        },
        {
          after: 'not ConfigurationsReady yet',
          statuses: () => [
            {
              observedGeneration: 1,
              conditions: conditions(
                nowIs('ConfigurationsReady', 'True'),
                nowIs('RoutesReady', 'Unknown', 'IngressNotConfigured', notConfigured),
              ),
              latestCreatedRevisionName: 'web-00001',
              latestReadyRevisionName: 'web-00001',
              ...traffic('web-00001'),
            },
          ],
        },
        {
          after: `not RoutesReady yet: IngressNotConfigured: ${notConfigured}`,
          statuses: () => [serving(1, 'web-00001')],
        },
      ],
      ends: 'deployed',
      says: '✓ Service "web": revision "web-00001" ready',
    },
    {
      about: 'whose conditions are still those of the revision before is not taken for ready (knative/serving#4149)',
      object: object('registry.test/ctwoc:2.0.0'),
      moves: [
        { after: 'waiting for the controller', restsMs },
        {
          statuses: () => [
            serving(2, 'web-00001'),
            {
              ...serving(2, 'web-00001'),
              conditions: conditions(
                nowIs('ConfigurationsReady', 'Unknown', 'OutOfDate', outOfDate),
                nowIs('RoutesReady', 'True'),
              ),
            },
          ],
        },
        {
          after: `not ConfigurationsReady yet: OutOfDate: ${outOfDate}`,
          statuses: () => [
            {
              ...serving(2, 'web-00001'),
              conditions: conditions(nowIs('ConfigurationsReady', 'Unknown'), nowIs('RoutesReady', 'True')),
              latestCreatedRevisionName: 'web-00002',
            },
          ],
        },
        { after: 'not ConfigurationsReady yet', statuses: () => [serving(2, 'web-00002')] },
      ],
      ends: 'deployed',
      says: '✓ Service "web": revision "web-00002" ready',
    },
    {
      about: 'whose revision fails for 30 s is undone',
      object: object('registry.test/ctwoc:3.0.0'),
      moves: [
        {
          after: 'waiting for the controller',
          statuses: () => [
            {
              ...serving(3, 'web-00002'),
              conditions: conditions(
                nowIs('ConfigurationsReady', 'Unknown', 'OutOfDate', outOfDate),
                nowIs('RoutesReady', 'True'),
              ),
            },
          ],
        },
        {
          after: `not ConfigurationsReady yet: OutOfDate: ${outOfDate}`,
          statuses: () => [
            {
              ...serving(3, 'web-00002'),
              conditions: conditions(
                nowIs('ConfigurationsReady', 'False', 'RevisionFailed', crashed),
                nowIs('RoutesReady', 'True'),
              ),
              latestCreatedRevisionName: 'web-00003',
            },
          ],
        },
      ],
      ends: 'undone',
      says: `✗ Service "web": ${crashed}`,
    },
  ],
};

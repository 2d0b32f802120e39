import { isObject, type Json, type JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { parseManifests } from '../../../src/manifests/read/yaml.ts';

/** One kind: an object, and a deploy that changes it. */
export interface RestoreCase {
  kind: string;
  /** YAML in which NAME and NAMESPACE stand for values of the test. */
  before: string;
  /** What the deploy changes, as a JSON merge patch: null removes a field. */
  change: JsonObject;
  /**
   * The change is invalid beside a field that it removes: only who owns that field can make it, so that an object of
   * another tool refuses it, taken over by force or not.
   */
  removesForValidity?: true;
}

export function beforeOf({ before }: RestoreCase, name: string, namespace: string): KubernetesObject {
  const [manifest] = parseManifests(before.replaceAll('NAMESPACE', namespace).replaceAll('NAME', name), 'case.yaml');
  if (manifest === undefined) throw new Error('the case has no object');
  return manifest.object;
}

export function changedOf(restoreCase: RestoreCase, name: string, namespace: string): KubernetesObject {
  return mergePatch(beforeOf(restoreCase, name, namespace), restoreCase.change) as KubernetesObject;
}

function mergePatch(value: Json | undefined, patch: Json | undefined): Json | undefined {
  if (!isObject(patch)) return patch;
  const old = isObject(value) ? value : {};
  const kept = Object.entries(old).filter(([key]) => !(key in patch));
  const set = Object.entries(patch).filter(([, inner]) => inner !== null);
  return Object.fromEntries([...kept, ...set.map(([key, inner]) => [key, mergePatch(old[key], inner)])]) as JsonObject;
}

/** Must be there before the case of the custom resource. */
export const widgetDefinition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.restore.gke-rollout.test}
spec:
  group: restore.gke-rollout.test
  scope: Namespaced
  names: {plural: widgets, kind: Widget}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
            spec:
              type: object
              properties:
                size: {type: integer}
                color: {type: string, default: red}
                tags: {type: array, x-kubernetes-list-type: set, items: {type: string}}
                parts:
                  type: array
                  x-kubernetes-list-type: map
                  x-kubernetes-list-map-keys: [name]
                  items:
                    type: object
                    required: [name]
                    properties: {name: {type: string}, weight: {type: integer}}
                plain: {type: array, items: {type: object, properties: {a: {type: string}}}}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true}
`;

const image = 'registry.test/ctwoc:1.0.0';
const otherImage = 'registry.test/ctwoc:2.0.0';

/** Every change also replaces a label, removes one and adds one: all kinds have labels. */
const labels = { keep: null, change: 'after', added: 'yes' };
const metadata = 'metadata: {name: NAME, namespace: NAMESPACE, labels: {keep: "1", change: before}}';
const clusterMetadata = 'metadata: {name: NAME, labels: {keep: "1", change: before}}';

const podTemplate = `
    metadata: {labels: {app: NAME}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: ${image}
          ports: [{containerPort: 8080, name: http}]
          env: [{name: A, value: "1"}, {name: B, value: "2"}]`;
const changedTemplate = (extra: JsonObject = {}): JsonObject => ({
  spec: {
    containers: [
      {
        name: 'web',
        image: otherImage,
        ports: [{ containerPort: 8080, name: 'http' }],
        env: [
          { name: 'A', value: '9' },
          { name: 'C', value: '3' },
        ],
      },
      { name: 'side', image: otherImage, env: [{ name: 'PORT', value: '9090' }] },
    ],
    ...extra,
  },
});

export const cases: readonly RestoreCase[] = [
  {
    kind: 'ConfigMap',
    before: `{apiVersion: v1, kind: ConfigMap, ${metadata}, data: {a: "1", b: "2"}, binaryData: {x: AAE=}}`,
    change: { metadata: { labels }, data: { a: '9', b: null, c: '3' }, binaryData: null },
  },
  {
    kind: 'Secret',
    before: `{apiVersion: v1, kind: Secret, ${metadata}, type: Opaque, data: {a: MQ==, b: Mg==}}`,
    change: { metadata: { labels }, data: { a: 'OQ==', b: null, c: 'Mw==' } },
  },
  {
    kind: 'ServiceAccount',
    before: `{apiVersion: v1, kind: ServiceAccount, ${metadata}, imagePullSecrets: [{name: one}]}`,
    change: { metadata: { labels }, imagePullSecrets: [{ name: 'two' }], automountServiceAccountToken: false },
  },
  {
    kind: 'Service (ClusterIP)',
    before: `
apiVersion: v1
kind: Service
${metadata}
spec: {selector: {app: NAME}, ports: [{name: http, port: 80, targetPort: 8080}, {name: dns, port: 53, protocol: UDP}]}`,
    change: {
      metadata: { labels },
      spec: {
        selector: { app: 'other' },
        sessionAffinity: 'ClientIP',
        ports: [
          { name: 'http', port: 80, targetPort: 9090 },
          { name: 'tls', port: 443 },
        ],
      },
    },
  },
  {
    kind: 'Service (port of the same name and number)',
    removesForValidity: true,
    before: `{apiVersion: v1, kind: Service, ${metadata}, spec: {ports: [{name: dns, port: 53, protocol: UDP}]}}`,
    change: { metadata: { labels }, spec: { ports: [{ name: 'dns', port: 53, protocol: 'TCP' }] } },
  },
  {
    kind: 'Service (to NodePort)',
    before: `{apiVersion: v1, kind: Service, ${metadata}, spec: {selector: {app: NAME}, ports: [{port: 80}]}}`,
    change: { metadata: { labels }, spec: { type: 'NodePort' } },
  },
  {
    kind: 'Service (NodePort)',
    before: `{apiVersion: v1, kind: Service, ${metadata}, spec: {type: NodePort, selector: {app: NAME}, ports: [{port: 80}]}}`,
    change: { metadata: { labels }, spec: { type: 'ClusterIP', ports: [{ port: 80, targetPort: 9090 }] } },
  },
  {
    kind: 'Service (LoadBalancer)',
    before: `
apiVersion: v1
kind: Service
${metadata}
spec: {type: LoadBalancer, selector: {app: NAME}, ports: [{port: 80}], externalTrafficPolicy: Cluster}`,
    change: {
      metadata: { labels },
      spec: { externalTrafficPolicy: 'Local', loadBalancerSourceRanges: ['10.0.0.0/8'] },
    },
  },
  {
    kind: 'Service (headless)',
    before: `{apiVersion: v1, kind: Service, ${metadata}, spec: {clusterIP: None, selector: {app: NAME}, ports: [{port: 80}]}}`,
    change: { metadata: { labels }, spec: { publishNotReadyAddresses: true, selector: { app: 'other', tier: 'a' } } },
  },
  {
    kind: 'Service (ExternalName)',
    before: `{apiVersion: v1, kind: Service, ${metadata}, spec: {type: ExternalName, externalName: a.test}}`,
    change: { metadata: { labels }, spec: { externalName: 'b.test' } },
  },
  {
    kind: 'Deployment',
    before: `
apiVersion: apps/v1
kind: Deployment
${metadata}
spec:
  replicas: 1
  selector: {matchLabels: {app: NAME}}
  template:${podTemplate}`,
    change: {
      metadata: { labels, annotations: { note: 'new' } },
      spec: {
        replicas: 2,
        minReadySeconds: 3,
        strategy: { rollingUpdate: { maxSurge: 2 } },
        template: changedTemplate(),
      },
    },
  },
  {
    kind: 'StatefulSet',
    before: `
apiVersion: apps/v1
kind: StatefulSet
${metadata}
spec:
  serviceName: NAME
  replicas: 1
  selector: {matchLabels: {app: NAME}}
  template:${podTemplate}`,
    change: {
      metadata: { labels },
      spec: { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } }, template: changedTemplate() },
    },
  },
  {
    kind: 'DaemonSet',
    before: `
apiVersion: apps/v1
kind: DaemonSet
${metadata}
spec:
  selector: {matchLabels: {app: NAME}}
  template:${podTemplate}
      nodeSelector: {nowhere: "true"}`,
    change: {
      metadata: { labels },
      spec: {
        updateStrategy: { type: 'OnDelete' },
        template: changedTemplate({ nodeSelector: { nowhere: 'still' } }),
      },
    },
  },
  {
    kind: 'ReplicaSet',
    before: `
apiVersion: apps/v1
kind: ReplicaSet
${metadata}
spec:
  replicas: 0
  selector: {matchLabels: {app: NAME}}
  template:${podTemplate}`,
    change: { metadata: { labels }, spec: { minReadySeconds: 5, template: changedTemplate() } },
  },
  {
    kind: 'ReplicationController',
    before: `
apiVersion: v1
kind: ReplicationController
${metadata}
spec:
  replicas: 0
  selector: {app: NAME}
  template:${podTemplate}`,
    change: { metadata: { labels }, spec: { minReadySeconds: 5, template: changedTemplate() } },
  },
  {
    kind: 'Job',
    before: `
apiVersion: batch/v1
kind: Job
${metadata}
spec:
  suspend: true
  parallelism: 1
  template:
    spec: {restartPolicy: Never, containers: [{name: job, image: "${image}"}]}`,
    change: { metadata: { labels }, spec: { parallelism: 2, activeDeadlineSeconds: 60 } },
  },
  {
    kind: 'CronJob',
    before: `
apiVersion: batch/v1
kind: CronJob
${metadata}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: job, image: "${image}"}]}`,
    change: {
      metadata: { labels },
      spec: {
        schedule: '0 4 * * *',
        timeZone: 'Etc/UTC',
        jobTemplate: {
          spec: { template: { spec: { containers: [{ name: 'job', image: otherImage, args: ['job'] }] } } },
        },
      },
    },
  },
  {
    kind: 'Pod',
    before: `
apiVersion: v1
kind: Pod
${metadata}
spec: {terminationGracePeriodSeconds: 1, containers: [{name: web, image: "${image}"}]}`,
    change: { metadata: { labels }, spec: { containers: [{ name: 'web', image: otherImage }] } },
  },
  {
    kind: 'PodTemplate',
    before: `
apiVersion: v1
kind: PodTemplate
${metadata}
template: {spec: {containers: [{name: web, image: "${image}"}]}}`,
    change: { metadata: { labels }, template: { spec: { containers: [{ name: 'web', image: otherImage }] } } },
  },
  {
    kind: 'Role',
    before: `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
${metadata}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]`,
    change: { metadata: { labels }, rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] },
  },
  {
    kind: 'RoleBinding',
    before: `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
${metadata}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: NAME}
subjects: [{kind: ServiceAccount, name: one, namespace: NAMESPACE}]`,
    change: { metadata: { labels }, subjects: [{ kind: 'ServiceAccount', name: 'two', namespace: 'default' }] },
  },
  {
    kind: 'ClusterRole',
    before: `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
${clusterMetadata}
rules: [{apiGroups: [""], resources: [nodes], verbs: [get]}]`,
    change: { metadata: { labels }, rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }] },
  },
  {
    kind: 'ClusterRoleBinding',
    before: `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
${clusterMetadata}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME}
subjects: [{kind: User, name: one, apiGroup: rbac.authorization.k8s.io}]`,
    change: { metadata: { labels }, subjects: null },
  },
  {
    kind: 'NetworkPolicy',
    before: `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
${metadata}
spec:
  podSelector: {matchLabels: {app: NAME}}
  ingress: [{from: [{podSelector: {matchLabels: {role: a}}}], ports: [{port: 80}]}]`,
    change: { metadata: { labels }, spec: { ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }], egress: [] } },
  },
  {
    kind: 'Ingress',
    before: `
apiVersion: networking.k8s.io/v1
kind: Ingress
${metadata}
spec:
  rules: [{host: a.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: NAME, port: {number: 80}}}}]}}]`,
    change: {
      metadata: { labels },
      spec: { rules: null, defaultBackend: { service: { name: 'other', port: { name: 'http' } } } },
    },
  },
  {
    kind: 'IngressClass',
    before: `{apiVersion: networking.k8s.io/v1, kind: IngressClass, ${clusterMetadata}, spec: {controller: test/one}}`,
    change: { metadata: { labels, annotations: { note: 'new' } } },
  },
  {
    kind: 'HorizontalPodAutoscaler',
    before: `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
${metadata}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: none}
  minReplicas: 2
  maxReplicas: 4
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]`,
    change: {
      metadata: { labels },
      spec: { minReplicas: null, maxReplicas: 9, behavior: { scaleDown: { stabilizationWindowSeconds: 10 } } },
    },
  },
  {
    kind: 'PodDisruptionBudget',
    before: `{apiVersion: policy/v1, kind: PodDisruptionBudget, ${metadata}, spec: {minAvailable: 1, selector: {matchLabels: {app: NAME}}}}`,
    change: { metadata: { labels }, spec: { minAvailable: '50%', unhealthyPodEvictionPolicy: 'AlwaysAllow' } },
  },
  {
    kind: 'PodDisruptionBudget (from minimum to maximum)',
    removesForValidity: true,
    before: `{apiVersion: policy/v1, kind: PodDisruptionBudget, ${metadata}, spec: {minAvailable: 1, selector: {matchLabels: {app: NAME}}}}`,
    change: { metadata: { labels }, spec: { minAvailable: null, maxUnavailable: '50%' } },
  },
  {
    kind: 'PersistentVolumeClaim',
    before: `
apiVersion: v1
kind: PersistentVolumeClaim
${metadata}
spec: {accessModes: [ReadWriteOnce], storageClassName: none, resources: {requests: {storage: 1Gi}}}`,
    change: { metadata: { labels, annotations: { note: 'new' } } },
  },
  {
    kind: 'PersistentVolume',
    before: `
apiVersion: v1
kind: PersistentVolume
${clusterMetadata}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: none-NAME
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: /tmp/none}`,
    change: { metadata: { labels }, spec: { persistentVolumeReclaimPolicy: 'Delete', mountOptions: ['ro'] } },
  },
  {
    kind: 'ResourceQuota',
    before: `{apiVersion: v1, kind: ResourceQuota, ${metadata}, spec: {hard: {pods: "500", configmaps: "500"}}}`,
    change: { metadata: { labels }, spec: { hard: { pods: '600', configmaps: null, secrets: '500' } } },
  },
  {
    kind: 'LimitRange',
    before: `{apiVersion: v1, kind: LimitRange, ${metadata}, spec: {limits: [{type: PersistentVolumeClaim, max: {storage: 9Gi}}]}}`,
    change: { metadata: { labels }, spec: { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '8Gi' } }] } },
  },
  {
    kind: 'PriorityClass',
    before: `{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, ${clusterMetadata}, value: 10, description: one}`,
    change: { metadata: { labels }, description: 'two' },
  },
  {
    kind: 'StorageClass',
    before: `{apiVersion: storage.k8s.io/v1, kind: StorageClass, ${clusterMetadata}, provisioner: test/none, parameters: {a: b}}`,
    change: { metadata: { labels }, allowVolumeExpansion: true },
  },
  {
    kind: 'CSIDriver',
    before: `{apiVersion: storage.k8s.io/v1, kind: CSIDriver, ${clusterMetadata}, spec: {attachRequired: false, podInfoOnMount: true}}`,
    change: { metadata: { labels }, spec: { podInfoOnMount: false, requiresRepublish: true } },
  },
  {
    kind: 'EndpointSlice',
    before: `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
${metadata}
addressType: IPv4
endpoints: [{addresses: [10.1.2.3], conditions: {ready: true}}]
ports: [{name: http, port: 80}]`,
    change: { metadata: { labels }, endpoints: [{ addresses: ['10.1.2.4'] }, { addresses: ['10.1.2.5'] }] },
  },
  {
    kind: 'Endpoints',
    before: `{apiVersion: v1, kind: Endpoints, ${metadata}, subsets: [{addresses: [{ip: 10.1.2.3}], ports: [{port: 80}]}]}`,
    change: { metadata: { labels }, subsets: [{ addresses: [{ ip: '10.1.2.4' }], ports: [{ port: 81 }] }] },
  },
  {
    kind: 'Lease',
    before: `{apiVersion: coordination.k8s.io/v1, kind: Lease, ${metadata}, spec: {holderIdentity: a, leaseDurationSeconds: 10}}`,
    change: { metadata: { labels }, spec: { holderIdentity: 'b', leaseDurationSeconds: null } },
  },
  {
    kind: 'ValidatingAdmissionPolicy',
    before: `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
${clusterMetadata}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [none.test], apiVersions: [v1], operations: [CREATE], resources: [nothings]}]
  validations: [{expression: "true", message: one}]`,
    change: { metadata: { labels }, spec: { failurePolicy: 'Ignore', validations: [{ expression: 'true' }] } },
  },
  {
    kind: 'ValidatingAdmissionPolicyBinding',
    before: `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
${clusterMetadata}
spec: {policyName: none-NAME, validationActions: [Audit]}`,
    change: { metadata: { labels }, spec: { validationActions: ['Warn', 'Audit'] } },
  },
  {
    kind: 'ValidatingWebhookConfiguration',
    before: `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
${clusterMetadata}
webhooks:
  - name: one.NAME.test
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: {url: "https://127.0.0.1:1/"}
    rules: [{apiGroups: [none.test], apiVersions: [v1], operations: [CREATE], resources: [nothings]}]`,
    change: {
      metadata: { labels },
      webhooks: [
        {
          name: 'two.webhook.test',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          timeoutSeconds: 5,
          clientConfig: { url: 'https://127.0.0.1:2/' },
          rules: [{ apiGroups: ['none.test'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['nothings'] }],
        },
      ],
    },
  },
  {
    kind: 'MutatingWebhookConfiguration',
    before: `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
${clusterMetadata}
webhooks:
  - name: one.NAME.test
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: {url: "https://127.0.0.1:1/"}
    rules: [{apiGroups: [none.test], apiVersions: [v1], operations: [CREATE], resources: [nothings]}]`,
    change: { metadata: { labels }, webhooks: [] },
  },
  {
    kind: 'Namespace',
    before: `{apiVersion: v1, kind: Namespace, ${clusterMetadata}}`,
    change: { metadata: { labels, annotations: { note: 'new' } } },
  },
  {
    kind: 'CustomResourceDefinition',
    before: `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: NAME.restore.gke-rollout.test, labels: {keep: "1", change: before}}
spec:
  group: restore.gke-rollout.test
  scope: Namespaced
  names: {plural: NAME, singular: NAME, kind: NAME, listKind: NAME-list}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {a: {type: string}}}}}}`,
    change: {
      metadata: { labels },
      spec: {
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.spec.a' }],
          },
          { name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    },
  },
  {
    kind: 'RuntimeClass',
    before: `{apiVersion: node.k8s.io/v1, kind: RuntimeClass, ${clusterMetadata}, handler: runc}`,
    change: { metadata: { labels }, scheduling: { nodeSelector: { a: 'b' } } },
  },
  {
    kind: 'FlowSchema',
    before: `
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
${clusterMetadata}
spec:
  priorityLevelConfiguration: {name: catch-all}
  matchingPrecedence: 9000
  rules:
    - subjects: [{kind: User, user: {name: nobody.test}}]
      nonResourceRules: [{nonResourceURLs: [/none], verbs: [get]}]`,
    change: { metadata: { labels }, spec: { matchingPrecedence: 9001, rules: [] } },
  },
  {
    kind: 'PriorityLevelConfiguration',
    before: `
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: PriorityLevelConfiguration
${clusterMetadata}
spec: {type: Limited, limited: {nominalConcurrencyShares: 1, limitResponse: {type: Reject}}}`,
    change: { metadata: { labels }, spec: { limited: { nominalConcurrencyShares: 2, lendablePercent: 50 } } },
  },
  {
    kind: 'custom resource',
    before: `
apiVersion: restore.gke-rollout.test/v1
kind: Widget
${metadata}
spec:
  size: 1
  tags: [a, b]
  parts: [{name: one, weight: 1}, {name: two, weight: 2}]
  plain: [{a: x}]
  free: {deep: {a: [1, 2]}, gone: true}`,
    change: {
      metadata: { labels },
      spec: {
        size: null,
        color: 'blue',
        tags: ['b', 'c'],
        parts: [
          { name: 'two', weight: 9 },
          { name: 'three', weight: 3 },
        ],
        plain: [{ a: 'y' }, { a: 'z' }],
        free: { deep: { a: [3] }, gone: null },
      },
    },
  },
];

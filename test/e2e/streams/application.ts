import { image } from '../../support/strategy-stage.ts';

export type Version = '1.0.0' | '2.0.0';

export interface Ending {
  /** Seconds of `terminationGracePeriodSeconds`; the default of Kubernetes where it is not set. */
  grace?: number;
  /** Seconds that the `preStop` hook sleeps; 0: there is no hook. */
  preStop?: number;
}

/** A server of streams that finishes what it has begun, and takes nothing more once it is told to stop. */
export function manifestOf(name: string, version: Version, { grace, preStop = 5 }: Ending = {}): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 2
  selector:
    matchLabels: { app: ${name} }
  template:
    metadata:
      labels: { app: ${name} }
    spec:
${grace === undefined ? '' : `      terminationGracePeriodSeconds: ${grace}\n`}      containers:
        - name: server
          image: ${image(version)}
          env:
            - { name: SHUTDOWN_DELAY, value: 0s }
          readinessProbe:
            httpGet: { path: /readyz, port: 8080 }
            periodSeconds: 1
${preStop === 0 ? '' : `          lifecycle:\n            preStop:\n              sleep: { seconds: ${preStop} }\n`}---
apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector: { app: ${name} }
  ports: [{ port: 80, targetPort: 8080 }]
`;
}

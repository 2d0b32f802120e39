import { objectsAt, stringAt, type Json } from '../../../src/base/json.ts';
import { FakeGoogle } from '../../support/google/fake-google.ts';
import { kubectl } from '../../support/kubectl.ts';

const cluster = 'projects/acme-shop/locations/us-central1/clusters/bootcamp';

/** Google's APIs, with the cluster of the tests as the one of the examples: whoever signs in gets a token that it takes. */
export async function fakeGoogle(namespace: string): Promise<FakeGoogle> {
  await kubectl(['create', 'serviceaccount', 'deployer', `--namespace=${namespace}`]);
  const who = `--serviceaccount=${namespace}:deployer`;
  await kubectl(['create', 'rolebinding', 'deployer', '--clusterrole=cluster-admin', who, `--namespace=${namespace}`]);
  return await googleFor((await kubectl(['create', 'token', 'deployer', `--namespace=${namespace}`])).trim());
}

/** The same for whoever has this token of the cluster: what Google gives out for the token of a job. */
export async function googleFor(token: string): Promise<FakeGoogle> {
  const config = JSON.parse(await kubectl(['config', 'view', '--raw', '--flatten', '-o', 'json'])) as Json;
  const service = ['get', 'service', 'kubernetes', '--namespace=default', '--output=jsonpath={.spec.clusterIP}'];
  const described = {
    name: 'bootcamp',
    location: 'us-central1',
    endpoint: await kubectl(service),
    status: 'RUNNING',
    masterAuth: {
      clusterCaCertificate: stringAt(objectsAt(config, 'clusters')[0], 'cluster', 'certificate-authority-data') ?? '',
    },
  };
  return await FakeGoogle.start({
    script: ({ id, name }) => {
      if (id === 'sts.token') {
        const type = 'urn:ietf:params:oauth:token-type:access_token';
        const json = { access_token: token, issued_token_type: type, token_type: 'Bearer', expires_in: 3600 };
        return { status: 200, json };
      }
      return id === 'container.projects.locations.clusters.get' && name === cluster
        ? { status: 200, json: described }
        : undefined;
    },
  });
}

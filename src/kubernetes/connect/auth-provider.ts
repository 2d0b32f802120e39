import type { RequestOptions } from 'node:https';

import { InvalidInput, messageOf } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import { describeLimit, limits } from '../../base/limits.ts';

/**
 * The token that the `auth-provider` of a kubeconfig user gives, by client-node (OIDC: it is renewed when it has expired).
 * Hardly any kubeconfig needs it, and it weighs as much as all else that is loaded before the first request: hence the
 * late import.
 * @throws InvalidInput when the provider gives none
 */
export async function askAuthProvider(provider: JsonObject, context: string): Promise<string | undefined> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromString(
    JSON.stringify({
      clusters: [{ name: 'cluster', cluster: { server: 'https://localhost' } }],
      users: [{ name: 'user', user: { 'auth-provider': provider } }],
      contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
      'current-context': 'context',
    }),
  );
  const options: RequestOptions = {};
  try {
    await inTime(kubeConfig.applyToHTTPSOptions(options));
  } catch (error) {
    throw new InvalidInput(`cannot get credentials for context "${context}": ${messageOf(error)}`, {
      cause: error,
      hint: 'Check that this context works with kubectl on this runner, and fix the kubeconfig.',
    });
  }
  const { Authorization: authorization } = options.headers as Record<string, string | undefined>;
  return authorization?.replace(/^Bearer /, '');
}

/** A server that renews tokens may not answer; the request itself cannot be ended, and is waited for no longer. */
async function inTime<T>(asked: Promise<T>): Promise<T> {
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    over.reject(new Error(`no answer: ${describeLimit(limits.pluginTime)}`));
  }, limits.pluginTime.value);
  try {
    return await Promise.race([asked, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}

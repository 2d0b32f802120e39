import { stringAt, type Json } from '../base/json.ts';
import type { ProxyAnswer, ProxyTarget, Resource } from './client.ts';
import { ApiError } from './errors.ts';
import { pathOf } from './resource-path.ts';
import type { Attempt } from './attempt.ts';

/**
 * Where the API server passes requests on: `/api/v1/namespaces/shop/services/http:web:80/proxy`. The form with scheme and port is
 * one segment (kubernetes/apimachinery pkg/util/net, `SplitSchemeNamePort`).
 */
export function proxyPathOf(resource: Resource, { namespace, name, port, scheme }: ProxyTarget): string {
  // The colons are no part of what is encoded.
  return `${pathOf(resource, namespace, name).replace(/(?<![^/])[^/]+$/, (last) => `${scheme}:${last}:${encodeURIComponent(port)}`)}/proxy`;
}

/**
 * The refusal of the API server itself, as opposed to what the application answered: the user lacks the right, or there is no
 * such object or port. A 503 is none: then it tried, and reached nothing.
 */
export function proxyRefusal({ status, body }: ProxyAnswer, attempt: Attempt): ApiError | undefined {
  if (status !== 401 && status !== 403 && status !== 404 && status !== 429) return undefined;
  const parsed = ownStatus(body);
  if (parsed === undefined) return undefined;
  const message = stringAt(parsed, 'message') ?? '';
  const isAboutUs =
    status === 401 || status === 429 || message.includes('/proxy"') || /^(services|pods) "/.test(message);
  return isAboutUs ? new ApiError(status, parsed, attempt) : undefined;
}

/** The Status that an API server answers with; undefined for the words of anybody else. */
export function ownStatus(body: string): Json | undefined {
  if (!body.startsWith('{"kind":"Status","apiVersion":"v1"')) return undefined;
  try {
    return JSON.parse(body) as Json;
  } catch {
    return undefined;
  }
}

import type { IncomingHttpHeaders } from 'node:http';

import type { Json } from '../../../src/base/json.ts';
import { isObject } from '../../../src/base/json.ts';
import { apis, errorSchema, oauthErrorSchema, type ApiName, type Method, type Schema } from './discovery.ts';

export interface Asked {
  httpMethod: string;
  url: URL;
  headers: IncomingHttpHeaders;
  body: string;
}

/** The method of an API that a request calls, and the value of the template in its path. */
export function methodOf(api: ApiName, { httpMethod, url }: Asked): { method: Method; name: string } | undefined {
  const methods: readonly Method[] = apis[api];
  const path = decodeURIComponent(url.pathname.replace(/^\//, ''));
  for (const method of methods) {
    const [before = '', after] = method.path.split(/\{\+\w+\}/);
    if (method.httpMethod !== httpMethod) continue;
    if (after === undefined ? path === before : path.startsWith(before) && path.endsWith(after)) {
      const name = after === undefined ? '' : path.slice(before.length, path.length - after.length);
      if (method.pattern === undefined || new RegExp(method.pattern).test(name)) return { method, name };
    }
  }
  return undefined;
}

/** What of a request the description does not allow. */
export function checkRequest(method: Method, { headers, url, body }: Asked): string[] {
  const problems: string[] = [];
  for (const name of new Set(url.searchParams.keys())) {
    if (method.query?.includes(name) !== true) problems.push(`${method.id}: unknown parameter "${name}"`);
  }
  const authorization = headers.authorization ?? '';
  if (method.authorization === 'bearer' && !/^Bearer [\w.~+/=-]+$/.test(authorization)) {
    problems.push(`${method.id}: no bearer token`);
  }
  if (method.authorization === 'none' && authorization !== '') problems.push(`${method.id}: a needless Authorization`);
  if (method.request === undefined) {
    if (body !== '') problems.push(`${method.id}: a body that nobody reads`);
    return problems;
  }
  const type = headers['content-type'];
  if (type !== method.contentType) problems.push(`${method.id}: content type ${type ?? 'missing'}`);
  const isForm = method.contentType === 'application/x-www-form-urlencoded';
  const value = isForm ? Object.fromEntries(new URLSearchParams(body)) : (JSON.parse(body) as Json);
  return [...problems, ...fit(value, method.request, method.id)];
}

/** What of an answer the description does not know: the test's own servers must not invent an API. */
export function checkAnswer(method: Method, status: number, body: Json): string[] {
  if (status < 300) return fit(body, method.response, `${method.id} answer`);
  if (method.id.startsWith('oidc')) return [];
  const isOauth = isObject(body) && typeof body['error'] === 'string';
  return fit(body, isOauth ? oauthErrorSchema : errorSchema, `${method.id} error`);
}

function fit(value: Json | undefined, schema: Schema, path: string): string[] {
  const wrong = (what: string) => [`${path}: ${JSON.stringify(value ?? null).slice(0, 80)} is no ${what}`];
  switch (schema.type) {
    case 'any':
      return [];
    case 'integer':
      return Number.isInteger(value) ? [] : wrong('integer');
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrong('boolean');
    case 'string': {
      if (typeof value !== 'string') return wrong('string');
      if (schema.enum !== undefined && !schema.enum.includes(value)) return wrong(`one of ${schema.enum.join(', ')}`);
      if (schema.format === 'google-datetime' && Number.isNaN(Date.parse(value))) return wrong('time');
      if (schema.format === 'google-duration' && !/^\d+(\.\d+)?s$/.test(value)) return wrong('duration');
      return [];
    }
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, index) => fit(item, schema.items, `${path}[${index}]`))
        : wrong('list');
    case 'map':
      return isObject(value)
        ? Object.entries(value).flatMap(([key, item]) => fit(item, schema.values, `${path}.${key}`))
        : wrong('map');
    case 'object': {
      if (!isObject(value)) return wrong('object');
      const missing = (schema.required ?? [])
        .filter((name) => value[name] === undefined)
        .map((name) => `${path}.${name} is missing`);
      const fields = Object.entries(value).flatMap(([name, item]) => {
        const field = schema.properties[name];
        return field === undefined ? [`${path}.${name} is unknown`] : fit(item, field, `${path}.${name}`);
      });
      return [...missing, ...fields];
    }
  }
}

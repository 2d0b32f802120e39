import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

import { stringAt, type Json } from '../../src/base/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';

/** What somebody puts into the Secret of a record who knows how records are written. */
export function recordData(value: unknown, head: Record<string, unknown> = {}): Record<string, string> {
  return packedData(gzipSync(JSON.stringify(value)), head);
}

/** The same with bytes that need not be what they should. */
export function packedData(packed: Buffer, head: Record<string, unknown> = {}): Record<string, string> {
  const digest = createHash('sha256').update(packed).digest('hex').slice(0, 12);
  return {
    record: packed.toString('base64'),
    parts: Buffer.from(JSON.stringify({ digest, names: [], ...head })).toString('base64'),
  };
}

/** What is in a record that lies in one Secret. */
export function valueIn(secret: KubernetesObject): Json {
  const packed = Buffer.from(stringAt(secret, 'data', 'record') ?? '', 'base64');
  return JSON.parse(gunzipSync(packed).toString('utf8')) as Json;
}

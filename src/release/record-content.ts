import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip, gunzip } from 'node:zlib';

import { Failure, messageOf } from '../base/errors.ts';
import { isObject, stringAt, type Json } from '../base/json.ts';
import { jsonPieces } from '../base/json-pieces.ts';
import { exceededBy } from '../base/json-scan.ts';
import { integer, listOf, matching, Misshapen, recordOf, text } from '../base/shape.ts';
import { holdYoungGeneration, isLarge } from '../base/young-generation.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/**
 * How a record becomes the content of Secrets, and back: compressed JSON, in several Secrets where it is too large for one. The
 * first one has a digest of the whole and names the others. A record may have megabytes, and the lock is renewed meanwhile: it is
 * packed piece by piece, and beside the event loop.
 */

/** Below the API server's limit of 1 MiB, with room for metadata; base64 adds a third. */
const partBytes = 700_000;
/** Of a record as JSON: some thousand objects. Little data can unpack to much more than a runner has memory for. */
const mostBytes = 64 * 1024 * 1024;
const limits = { depth: 200, values: 8_000_000 };
/** Of how records are written; absent is 1. A later version of the action counts up when this one could not read it right. */
const format = 1;

interface Head {
  digest: string;
  names: string[];
  format?: number;
}

const headOf = recordOf<Head>({
  digest: matching(/^[0-9a-f]{12}$/, 'is not a digest'),
  names: listOf(text(300), 100),
  format: { optional: integer(1) },
});

interface Content {
  /** For the Secret of the record itself. */
  head: Record<'record' | 'parts', string>;
  /** For the other Secrets, by their names. */
  parts: ReadonlyMap<string, Record<'record' | 'parts', string>>;
}

/**
 * @param value must stay as it is until the promise has settled
 * @throws Failure for what could not be read again
 */
export async function contentOf(name: string, value: unknown): Promise<Content> {
  const data = await packed(name, value);
  const digest = digestOf(data);
  const pieces = split(data);
  const names = pieces.slice(1).map((_, index) => `${name}.${digest}.${index + 1}`);
  const encode = (piece: Buffer, others: string[]) => ({
    record: piece.toString('base64'),
    parts: Buffer.from(JSON.stringify({ digest, names: others, format })).toString('base64'),
  });
  return {
    head: encode(pieces[0] ?? Buffer.alloc(0), names),
    parts: new Map(names.map((part, index) => [part, encode(pieces[index + 1] ?? Buffer.alloc(0), [])])),
  };
}

async function packed(name: string, value: unknown): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const pieces = function* () {
    for (const piece of jsonPieces(value)) {
      bytes += Buffer.byteLength(piece);
      if (bytes <= mostBytes) yield piece;
    }
  };
  await pipeline(Readable.from(pieces()), createGzip(), async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) chunks.push(chunk);
  });
  if (bytes > mostBytes) {
    throw new Failure(`the record "${name}" would have ${bytes} bytes, and at most ${mostBytes} can be kept`, {
      hint: 'Split it into several releases.',
    });
  }
  return Buffer.concat(chunks);
}

/**
 * The value of a record. Nothing of it is believed but that it is JSON of a bearable size.
 * @throws Misshapen for what is none
 */
export async function valueOf(
  head: KubernetesObject,
  read: (part: string) => Promise<KubernetesObject | undefined>,
): Promise<Json> {
  const { name } = head.metadata;
  const { digest, names, format: written = 1 } = headOf(jsonOf(bytesOf(head, 'parts'), 'data.parts'), 'data.parts');
  if (written > format) throw new Misshapen('', 'was written by a newer version of this action: use that one or later');
  if (names.some((part) => !part.startsWith(`${name}.${digest}.`)))
    throw new Misshapen('data.parts', 'refers to Secrets that are not parts of it');
  const parts = await Promise.all(names.map(read));
  const data = Buffer.concat([head, ...parts].map((secret) => bytesOf(secret, 'record')));
  if (digestOf(data) !== digest) throw new Misshapen('', 'is not complete: a part of it was deleted or changed');
  const json = await unpacked(data);
  if (isLarge(json.length)) holdYoungGeneration();
  return jsonOf(json, 'data.record');
}

const unzip = promisify(gunzip);

async function unpacked(data: Buffer): Promise<Buffer> {
  try {
    return await unzip(data, { maxOutputLength: mostBytes });
  } catch (error) {
    const isTooLarge = isObject(error) && error['code'] === 'ERR_BUFFER_TOO_LARGE';
    throw new Misshapen(
      'data.record',
      isTooLarge ? `unpacks to more than ${mostBytes} bytes` : `cannot be unpacked: ${messageOf(error)}`,
    );
  }
}

function jsonOf(bytes: Buffer, path: string): Json {
  const exceeded = exceededBy(bytes, limits);
  if (exceeded === 'depth') throw new Misshapen(path, `is nested more than ${limits.depth} deep`);
  if (exceeded === 'values') throw new Misshapen(path, `has more than ${limits.values} values`);
  try {
    return JSON.parse(bytes.toString('utf8')) as Json;
  } catch {
    // The words of the parser would show a piece of it.
    throw new Misshapen(path, 'is not JSON');
  }
}

function bytesOf(secret: KubernetesObject | undefined, field: 'record' | 'parts'): Buffer {
  return Buffer.from(stringAt(secret, 'data', field) ?? '', 'base64');
}

function digestOf(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 12);
}

function split(data: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start < data.length; start += partBytes) parts.push(data.subarray(start, start + partBytes));
  return parts;
}

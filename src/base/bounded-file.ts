import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';

import { InvalidInput } from './errors.ts';
import { describeLimit, sizeOf, type Limit } from './limits.ts';

/** Bytes that are asked for at once of a file that does not tell its size. */
const chunkBytes = 65_536;

/**
 * The content of a regular file. Others are refused without waiting for them: a named pipe would be waited for, and a device has
 * no end.
 * @param name how messages name it, with its quotes: `"k8s/web.yaml"`
 * @throws InvalidInput when it is no regular file, or larger than the limit; the error of the file system, with its `code`
 */
export function readBoundedFile(path: string, name: string, limit: Limit): Buffer {
  const found = statSync(path);
  // A socket cannot even be opened.
  if (!found.isFile()) throw notAFile(name, found);
  const file = openSync(path, constants.O_RDONLY | nonBlocking);
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw notAFile(name, stats);
    if (stats.size > limit.value) throw tooLarge(name, stats.size, limit);
    return readAll(file, name, limit);
  } finally {
    closeSync(file);
  }
}

/** Opening a named pipe would wait for somebody to write; Windows has neither. */
const nonBlocking = (constants as { O_NONBLOCK?: number }).O_NONBLOCK ?? 0;

/** To its end, which may have moved since its size was asked. */
function readAll(file: number, name: string, limit: Limit): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  for (;;) {
    const chunk = Buffer.alloc(chunkBytes);
    const count = readSync(file, chunk, 0, chunkBytes, null);
    if (count === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    size += count;
    if (size > limit.value) throw tooLarge(name, size, limit);
  }
}

function tooLarge(name: string, bytes: number, limit: Limit): InvalidInput {
  return new InvalidInput(`${name} is too large (${sizeOf(bytes)}): ${describeLimit(limit)}`, {
    hint: 'Check that this is the intended file; if it is, split it.',
  });
}

/** @param name how messages name it, with its quotes */
export function notAFile(name: string, stats: Stats): InvalidInput {
  return new InvalidInput(`${name} is ${kindOf(stats)}, not a file`, {
    hint: 'Use a regular file; nothing else is read.',
  });
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}

import { Failure } from './errors.ts';
import { describeLimit, type Limit } from './limits.ts';

/**
 * The whole of an answer as text. @param name who answers: `the API server`
 * @throws Failure when it is longer than the limit; the rest is not read then
 */
export async function boundedText(body: AsyncIterable<Buffer>, name: string, limit: Limit): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit.value) throw tooLong(name, limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

export function tooLong(name: string, limit: Limit): Failure {
  return new Failure(`${name} is too long: ${describeLimit(limit)}`, {
    hint: 'Check what is answering instead (a proxy, for example) and what it sends.',
  });
}

/** The beginning of an answer as text; what follows is not read. */
export async function startOf(body: AsyncIterable<Buffer>, limit: Limit): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit.value) break;
  }
  return Buffer.concat(chunks).subarray(0, limit.value).toString();
}

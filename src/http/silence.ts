import { httpError } from './http.ts';

/**
 * Watches a body that comes bit by bit for as long as it likes.
 * @param giveUp called with the reason when nothing has come for that long; it ends the body
 */
export async function* unlessSilent(
  body: AsyncIterable<Buffer>,
  idleMs: number,
  giveUp: (reason: Error) => void,
): AsyncGenerator<Buffer> {
  const late = () => {
    giveUp(httpError('BODY_TIMEOUT', 'no more data arrived'));
  };
  let timer = setTimeout(late, idleMs);
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      yield chunk;
      timer = setTimeout(late, idleMs);
    }
  } finally {
    clearTimeout(timer);
  }
}

import { errorCode, InvalidInput } from '../../base/errors.ts';

/** Codes of Node's file system; its messages repeat the path, which may be a key that stands in the wrong place. */
const meanings: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'part of its path is not a folder',
  ELOOP: 'its symbolic links form a loop',
  ENAMETOOLONG: 'its name is too long',
  ERR_INVALID_ARG_VALUE: 'it has a zero byte in its name',
};

/** Why a file cannot be read, without its path. */
export function causeOf(error: unknown): string {
  // It is no file, or too large.
  if (error instanceof InvalidInput) return error.message;
  const code = errorCode(error);
  return meanings[code] ?? (code === '' ? 'it cannot be read' : code);
}

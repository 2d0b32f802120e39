import { InvalidInput } from '../../base/errors.ts';

/** The text of a file, byte order mark and all; undefined when the bytes are no UTF-8. */
export function textOf(content: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return undefined;
  }
}

/**
 * The text of a file that can be nothing but text. What is no UTF-8 is never guessed: a replaced letter in the value of a Secret
 * would be found by nobody.
 * @param file how the user named the file
 * @throws InvalidInput with the place of the first byte that is no text
 */
export function manifestText(content: Buffer, file: string): string {
  if (isUtf16(content)) {
    throw new InvalidInput(`"${file}" is UTF-16, but manifests are read as UTF-8`, {
      location: { file },
      hint: 'Save it as UTF-8; PowerShell writes that with "Out-File -Encoding utf8".',
    });
  }
  const text = textOf(content);
  if (text !== undefined) return text;
  const before = content.subarray(0, firstWrongByte(content)).toString('utf8').split('\n');
  const byte = content[firstWrongByte(content)] ?? 0;
  throw new InvalidInput(`"${file}" is not UTF-8 text: it has the byte 0x${byte.toString(16).padStart(2, '0')}`, {
    location: { file, line: before.length, column: (before.at(-1) ?? '').length + 1 },
    hint: 'Save it as UTF-8. Binary content goes, in base64, into "binaryData" of a ConfigMap or "data" of a Secret.',
  });
}

/** By its byte order mark, or because every other byte is zero, as in Latin text without a mark. */
function isUtf16(content: Buffer): boolean {
  const [first, second] = content;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  const start = content.subarray(0, 64);
  return start.length >= 4 && [0, 1].some((rest) => start.every((byte, index) => index % 2 !== rest || byte === 0));
}

/** Up to there, what was decoded is written with the same bytes again. */
function firstWrongByte(content: Buffer): number {
  const again = Buffer.from(content.toString('utf8'), 'utf8');
  return content.findIndex((byte, index) => byte !== again[index]);
}

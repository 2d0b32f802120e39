import { setFlagsFromString } from 'node:v8';

/** Whether so many bytes of objects, about 500 of them, are read that memory counts for more than time. */
export function isLarge(bytes: number): boolean {
  return bytes > 512 * 1024;
}

/**
 * Keeps the part of the heap that new objects come into as small as it is now. V8 lets it grow to three times 16 MiB, and what it then moves
 * to the old part in one piece takes more: of 1,000 objects a deploy had 70 MB in use and 230 MB of the machine, and has 150 MB with
 * this, for a tenth more CPU time. Runners in pods are killed for the difference.
 *
 * `--max-semi-space-size` is read when the process starts, which is the runner's business; the factor by which it grows is read
 * each time (V8 src/heap/new-spaces.cc).
 */
export function holdYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

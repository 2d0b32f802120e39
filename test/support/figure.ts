import { writeSync } from 'node:fs';

/** Prints a line `figure NAME VALUE`: what a suite measured, for the people and tools that read its output. */
export function figure(name: string, value: string | number): void {
  writeSync(2, `figure ${name} ${value}\n`);
}

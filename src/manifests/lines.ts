/** The lines of an input without blanks around them; empty ones are left out. */
export function trimmed(lines: readonly string[]): string[] {
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}

import { table } from '../markdown.ts';

/** A table without the columns in which no row says anything: a phone shows few side by side. */
export function slimTable<T>(
  head: readonly string[],
  items: readonly T[],
  cellsOf: (item: T) => readonly string[],
  most: number,
): string {
  const rows = items.map(cellsOf);
  const isTelling = (_: string, column: number) => rows.some((cells) => (cells[column] ?? '') !== '');
  return table(
    head.filter(isTelling),
    rows,
    (cells) => head.flatMap((title, column) => (isTelling(title, column) ? [cells[column] ?? ''] : [])),
    most,
  );
}

/** A chart of the summary (`xychart-beta`) as GitHub draws it, near enough for a picture. */
export function chartIn(source: string): string {
  const listOf = (key: string) =>
    new RegExp(`^\\s*${key} \\[(.*)\\]$`, 'm')
      .exec(source)?.[1]
      ?.split(',')
      .map((part) => part.trim()) ?? [];
  const title = /^\s*title "(.*)"$/m.exec(source)?.[1] ?? '';
  const labels = listOf('x-axis').map((label) => label.replaceAll('"', ''));
  const [bars, line] = [listOf('bar').map(Number), listOf('line').map(Number)];
  const [width, height, left, top, bottom] = [700, 300, 46, 40, 30];
  const step = (width - left - 10) / Math.max(1, labels.length);
  const y = (value: number) => height - bottom - (value / 100) * (height - top - bottom);
  const x = (index: number) => left + step * (index + 0.5);
  const text = (at: [number, number], content: string, anchor = 'middle') =>
    `<text x="${at[0]}" y="${at[1]}" text-anchor="${anchor}" font-size="13" fill="#1f2328">${content}</text>`;
  const parts = [
    text([width / 2, 20], title),
    ...[0, 25, 50, 75, 100].map((value) => text([left - 8, y(value) + 4], String(value), 'end')),
    `<path d="M${left} ${top}V${height - bottom}H${width - 10}" fill="none" stroke="#59636e"/>`,
    ...bars.map(
      (value, index) =>
        `<rect x="${x(index) - step * 0.35}" y="${y(value)}" width="${step * 0.7}" height="${height - bottom - y(value)}" fill="#9370db"/>`,
    ),
    `<polyline points="${line.map((value, index) => `${x(index)},${y(value)}`).join(' ')}" fill="none" stroke="#d1242f" stroke-width="2"/>`,
    ...labels.map((label, index) => text([x(index), height - 10], label)),
  ];
  return `<svg viewBox="0 0 ${width} ${height}" style="max-width: 100%" font-family="sans-serif">${parts.join('')}</svg>\n`;
}

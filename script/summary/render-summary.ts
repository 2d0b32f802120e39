/** Renders Markdown with GitHub's style sheet and takes a picture of the whole page with a headless Chromium. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { summaryPage } from './summary-page.ts';

/** The width of the summary on the page of a run; on a phone it is 390. */
const defaultWidth = 1012;

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    html: { type: 'string' },
    open: { type: 'boolean', default: false },
    width: { type: 'string', default: String(defaultWidth) },
  },
});
const [source, picture] = positionals;
const width = Number(options.width);
if (source === undefined || picture === undefined || !(width >= 200 && width <= 4_000)) {
  console.error('usage: script/render-summary FILE.md OUT.png [--html OUT.html] [--open] [--width PIXELS]');
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'gke-rollout-summary-'));
try {
  const html = summaryPage(readFileSync(source, 'utf8'), options.open);
  const file = join(folder, 'page.html');
  writeFileSync(file, html);
  if (options.html !== undefined) writeFileSync(options.html, html);
  const height = heightOf(file);
  chromium([`--window-size=${width},${height}`, `--screenshot=${resolve(picture)}`], file);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The page says itself how high it is, in an attribute of its root. */
function heightOf(file: string): number {
  const dom = chromium([`--window-size=${width},100`, '--dump-dom'], file);
  const height = Number(/data-height="(\d+)"/.exec(dom)?.[1]);
  if (!(height > 0)) throw new Error('Chromium did not say how high the page is');
  // Chromium takes no picture higher than this.
  return Math.min(height, 16_000);
}

function chromium(args: readonly string[], file: string): string {
  const run = spawnSync(
    'chromium',
    [...flags, `--user-data-dir=${join(folder, 'profile')}`, ...args, `file://${file}`],
    { encoding: 'utf8', timeout: 120_000 },
  );
  if (run.error !== undefined) {
    throw new Error(`Chromium could not be started: ${run.error.message}. Install it: apt-get install chromium.`);
  }
  if (run.status !== 0) throw new Error(`Chromium failed: ${run.stderr}`);
  return run.stdout;
}

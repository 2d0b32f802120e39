import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { StepResult } from '../../support/step.ts';

/** The forms in which a secret may have slipped through. */
function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].map((offset) => {
    // What stands before and behind it changes the ends of its base64, not the middle.
    const text = Buffer.from(`${'x'.repeat(offset)}${secret}`)
      .toString('base64')
      .replace(/=+$/, '');
    return text.slice(offset === 0 ? 0 : 4, -4);
  });
  const url = encodeURIComponent(secret);
  const escaped = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, url, escaped, ...base64, ...base64.map((text) => encodeURIComponent(text))])];
}

/** Where a secret shows after a step: in its log, summary, outputs or state, in files that it left, or in later steps. */
export function leaks(secrets: Iterable<string>, results: readonly StepResult[], folders: readonly string[]): string[] {
  const places = new Map<string, string>();
  results.forEach((result, index) => {
    const step = ['main', 'post'][index] ?? 'step';
    // The runner takes the line in which a secret is handed to it for masking out of the log.
    const log = result.log.split('\n').filter((line) => !line.startsWith('::add-mask::'));
    places.set(`log of ${step}`, log.join('\n'));
    places.set(`summary of ${step}`, result.summary);
    places.set(`outputs of ${step}`, JSON.stringify(result.outputs));
    places.set(`state of ${step}`, JSON.stringify(result.state));
    places.set(`environment after ${step}`, JSON.stringify(result.exported));
  });
  for (const folder of folders) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) places.set(path, readFileSync(path, 'latin1'));
    }
  }
  return [...secrets].flatMap((secret) =>
    [...places].flatMap(([place, text]) =>
      formsOf(secret).some((form) => text.includes(form)) ? [`${secret.slice(0, 12)}… in ${place}`] : [],
    ),
  );
}

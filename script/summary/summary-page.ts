import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Marked } from 'marked';
import markedAlert from 'marked-alert';

import { chartIn } from './chart.ts';

/** A page that looks as GitHub's; with `open`, folded blocks are shown unfolded. */
export function summaryPage(markdown: string, open: boolean): string {
  const style = readFileSync(
    join(import.meta.dirname, '../../node_modules/github-markdown-css/github-markdown-light.css'),
  );
  const body = new Marked(markedAlert(), {
    renderer: { code: ({ text, lang }) => (lang === 'mermaid' ? chartIn(text) : lang === 'diff' && diffIn(text)) },
  }).parse(markdown, { async: false, gfm: true });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Job summary</title>
<style>${style.toString()}
body { margin: 0 } .markdown-body { box-sizing: border-box; padding: 24px }
@media (max-width: 600px) { .markdown-body { padding: 16px } }
.add { color: #116329; background: #dafbe1 } .del { color: #82071e; background: #ffebe9 }
.head { color: #8250df; font-weight: bold } .mod { color: #953800; background: #ffd8b5 }</style>
<article class="markdown-body">${open ? body.replaceAll('<details>', '<details open>') : body}</article>
<script>document.documentElement.dataset.height = document.documentElement.scrollHeight</script>
</html>
`;
}

const classes: Readonly<Record<string, string>> = { '+': 'add', '-': 'del', '!': 'mod', '@': 'head' };

/** The colours that GitHub gives the lines of a diff. */
function diffIn(text: string): string {
  const lines = text.split('\n').map((line) => {
    const escaped = line.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
    const style = classes[line[0] ?? ''];
    return style === undefined ? escaped : `<span class="${style}">${escaped}</span>`;
  });
  return `<pre><code>${lines.join('\n')}</code></pre>\n`;
}

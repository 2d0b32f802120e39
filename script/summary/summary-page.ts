import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Marked } from 'marked';
import markedAlert from 'marked-alert';

/** A page that looks as GitHub's; with `open`, folded blocks are shown unfolded. */
export function summaryPage(markdown: string, open: boolean): string {
  const style = readFileSync(
    join(import.meta.dirname, '../../node_modules/github-markdown-css/github-markdown-light.css'),
  );
  const body = new Marked(markedAlert()).parse(markdown, { async: false, gfm: true });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Job summary</title>
<style>${style.toString()}
body { margin: 0 } .markdown-body { box-sizing: border-box; padding: 24px }</style>
<article class="markdown-body">${open ? body.replaceAll('<details>', '<details open>') : body}</article>
<script>document.documentElement.dataset.height = document.documentElement.scrollHeight</script>
</html>
`;
}

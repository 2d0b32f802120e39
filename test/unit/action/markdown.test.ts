import { describe, expect, test } from '@jest/globals';
import { Marked } from 'marked';

import { alert, code, codeBlock, html, prose, table } from '../../../src/action/markdown.ts';
import { hostileText } from './reports.ts';

function render(markdown: string): string {
  return new Marked().parse(markdown, { async: false, gfm: true });
}

/** What a reader sees of HTML, without what is zero wide. */
function visible(markup: string): string {
  return markup
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&#(\d+);/g, (_, digits: string) => String.fromCharCode(Number(digits)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('\u200b', '')
    .trim();
}

const texts = [
  'container "web": image "registry.test/web:9" not found',
  '<b>bold</b> & <!-- hidden -->',
  '`code` ``two`` *a* _b_ ~~c~~ **d** __e__',
  '[link](https://evil.test) ![image](http://evil.test/x.png) <https://evil.test>',
  'a | b || c \\| d \\\\| e',
  '@octocat acme/shop#12 #34 GH-56 www.evil.test https://evil.test a@evil.test',
  '$x$ and $$y$$ and {{z}}',
  '&#64;octocat &lt;b&gt; &amp;',
  '- item',
  '+ item',
  '1. item',
  '12) item',
  '# heading',
  '=== rule',
  '> quote',
  '::error::x',
  ': definition',
];

describe('prose and code', () => {
  test.each(texts)('show %j as it is', (text) => {
    expect(visible(render(prose(text)))).toBe(text);
    expect(visible(render(code(text)))).toBe(text);
    expect(visible(render(`- ${prose(text)}`))).toBe(text);
  });

  test.each(texts)('keep %j in one cell of a table', (text) => {
    const markdown = table(['a', 'b'], [text], (cell) => [prose(cell), code(cell)]);
    const cells = [...render(markdown).matchAll(/<td[^>]*>(.*?)<\/td>/g)].map((match) => visible(match[1] ?? ''));
    expect(cells).toEqual([text, text]);
  });

  test.each(texts)('make no link of %j', (text) => {
    expect(render(`${prose(text)} ${code(text)}`)).not.toMatch(
      /<a |<img|@octocat(?![^<]*<\/code>)|[^&]#\d(?![^<]*<\/code>)/,
    );
  });

  test('show several lines as one, without control characters', () => {
    expect(prose('a\r\nb\u2028c\u0000\u001b[31md\u001b[0m')).toBe('a b cd');
    expect(html('a\n\nb <i>')).toBe('a b &lt;i&gt;');
  });

  test('cut what is too long', () => {
    expect(prose('x'.repeat(1000), 10)).toBe('xxxxxxxxx…');
  });
});

describe('a block of code', () => {
  test('is not ended by fences in its lines', () => {
    const block = codeBlock(['```', '`````', '~~~', hostileText]);
    expect(block.startsWith('``````text\n')).toBe(true);
    const rendered = render(block);
    expect(rendered.match(/<pre>/g)).toHaveLength(1);
    expect(rendered.trim().endsWith('</code></pre>')).toBe(true);
  });
});

describe('an alert', () => {
  test('has every line of its text in the quote', () => {
    expect(alert('CAUTION', 'a\n\nb')).toBe('> [!CAUTION]\n> a\n>\n> b');
  });
});

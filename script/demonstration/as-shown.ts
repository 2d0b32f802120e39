/**
 * What the page of a run shows of a line that the action has printed: workflow commands are obeyed and not shown.
 * `undefined` for a line that is not there to be read.
 * Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */
export function asShown(line: string): string | undefined {
  const command = /^::(?<name>[a-z-]+)(?: (?<properties>[^:]*))?::(?<text>.*)$/.exec(line)?.groups;
  if (command === undefined) return line;
  const text = decode(command['text'] ?? '');
  switch (command['name']) {
    case 'group':
      return `▼ ${text}`;
    case 'error':
    case 'warning':
    case 'notice':
      return `${titles[command['name']]}: ${place(command['properties'] ?? '')}${text}`;
    default:
      return undefined;
  }
}

const titles = { error: 'Error', warning: 'Warning', notice: 'Notice' };

/** `web.yaml:12: ` of the properties of an annotation. */
function place(properties: string): string {
  const valueOf = (name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(properties)?.[1];
  const file = valueOf('file');
  if (file === undefined) return '';
  const line = valueOf('line');
  return `${decode(file)}${line === undefined ? '' : `:${line}`}: `;
}

function decode(text: string): string {
  const characters: Record<string, string> = { '%25': '%', '%0D': '\r', '%0A': '\n', '%3A': ':', '%2C': ',' };
  return text.replaceAll(/%(?:25|0D|0A|3A|2C)/g, (code) => characters[code] ?? code);
}

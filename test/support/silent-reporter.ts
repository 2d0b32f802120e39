import type { Reporter } from '../../src/base/reporter.ts';

/** For tests that look at what was done, not at what was said. */
export const silentReporter: Reporter = {
  group: async (_title, work) => await work(),
  info: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  warning: () => undefined,
  error: () => undefined,
  mask: () => undefined,
};

/** Keeps every line that was said, with its sort. */
export function listeningReporter(): Reporter & { lines: string[] } {
  const lines: string[] = [];
  const say = (sort: string) => (line: string) => {
    lines.push(`${sort} ${line}`);
  };
  return { ...silentReporter, lines, info: say('info'), warning: say('warning'), error: say('error') };
}

import { basename } from 'node:path';

import { main } from './main.ts';
import { postStep } from './post-step.ts';

// The role goes by the file that was started, and never by what somebody may have saved: ADR 2.
const isPost = /^post\.[jt]s$/.test(basename(process.argv[1] ?? ''));

// For a step that stops without an end: Node leaves then, and it must not look like a success.
process.exitCode = 1;

// No `await` here: it would make this an asynchronous module, and the bundler could not merge the others into one (ADR 2).
void (isPost ? postStep() : main()).then((code) => {
  // Idle connections would keep the process alive for some seconds more.
  process.exit(code);
});

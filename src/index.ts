import { basename } from 'node:path';

import { main } from './main.ts';
import { postStep } from './post-step.ts';

// The role goes by the file that was started, and never by what somebody may have saved: ADR 2.
const isPost = /^post\.[jt]s$/.test(basename(process.argv[1] ?? ''));
process.exitCode = isPost ? await postStep() : await main();

// Idle connections would keep the process alive for some seconds more.
process.exit();

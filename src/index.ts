import { readState } from './action/state.ts';
import { main } from './main.ts';
import { post } from './post.ts';

// One bundle serves both steps; only the post step finds the state that the main step has saved.
const state = readState();
process.exitCode = state === undefined ? await main() : await post(state);

// Idle connections would keep the process alive for some seconds more.
process.exit();

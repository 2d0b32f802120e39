import { truthOfSequences } from './suite.ts';

truthOfSequences('rolling');

import { truthOfSequences } from './suite.ts';

truthOfSequences('canary');

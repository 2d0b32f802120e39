import { truthOfSequences } from './suite.ts';

truthOfSequences('blue-green');

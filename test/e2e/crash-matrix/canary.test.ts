import { abort, leftWaiting, promotion, update } from './scenarios.ts';
import { crashMatrix } from './suite.ts';

const inputs = { strategy: 'canary', 'canary-steps': '50', 'step-duration': '1s' };

crashMatrix('canary', [update(inputs), leftWaiting(inputs), promotion(inputs), abort(inputs)]);

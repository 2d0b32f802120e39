import { abort, leftWaiting, promotion, update } from './scenarios.ts';
import { crashMatrix } from './suite.ts';

const inputs = { strategy: 'blue-green', 'keep-old-for': '0s' };

crashMatrix('blue-green', [update(inputs), leftWaiting(inputs), promotion(inputs), abort(inputs)]);

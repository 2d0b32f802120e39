import { asOwnSide } from './application.ts';
import { update } from './scenarios.ts';
import { crashMatrix } from './suite.ts';

crashMatrix('own-sides', [update({ strategy: 'blue-green', 'keep-old-for': '0s' }, asOwnSide)]);

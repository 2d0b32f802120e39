import { firstDeploy, update } from './scenarios.ts';
import { crashMatrix } from './suite.ts';

crashMatrix('rolling', [firstDeploy({}), update({})]);

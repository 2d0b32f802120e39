import { writeFileSync } from 'node:fs';

import { reference } from './reference.ts';

for (const { path, text } of await reference()) writeFileSync(path, text);

import { join } from 'node:path';

import { line, userTexts } from './user-texts.ts';

const texts = userTexts(join(import.meta.dirname, '../..'), 'src');
for (const text of texts) console.log(line(text));
console.log(`figure texts ${texts.length}`);

// What the runner starts after the job; `dist/post.js` is the same. By its name the program knows its role.
import './index.ts';

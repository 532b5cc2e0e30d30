// The README's code runs and does what it says.
import { testReadme } from '../../js/test/readme.js';

testReadme(
  new URL('../README.md', import.meta.url),
  {
    Asking: ['`layout` is ON for user-42'],
    'Keeping fresh': ['true environment over http://127.0.0.1:9/flags.json over bundled', "state: 'failing'"],
    Publishing: ["added: [ 'bad', 'on' ]", '/1/rollout_percentage: 150 is out of range, expected 0 to 100'],
  },
  // recipes.test.js runs them.
  ['Postgres', 'Redis'],
);

// The README's code runs and does what it says.
import { testReadme } from '../../js/test/readme.js';

testReadme(new URL('../README.md', import.meta.url), {
  'Install, and a first answer': ['the new editor'],
  Publishing: ["added: [ 'bad' ]", '150 is out of range, expected 0 to 100', 'line 1, column 1'],
});

// W1 of the budgets from Node: one flag (2 plans, 2 roles, 3 regions, 10 % by user) for 10,000 distinct callers with
// prebuilt contexts, against the same work by hand and against the fastest peer. Each contender runs in processes of
// its own, in turns, and the best of its medians counts; ratios of one run are what can be compared.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const contender = fileURLToPath(new URL('contender.js', import.meta.url));
const NAMES = ['native', 'wasm', 'value', 'plain', 'by-hand', 'flagd-core'];
const TURNS = 3;

for (const mix of ['match', 'mix']) {
  const results = Object.fromEntries(NAMES.map((name) => [name, []]));
  for (let turn = 0; turn < TURNS; turn++) {
    for (const name of NAMES) {
      results[name].push(JSON.parse(execFileSync(process.execPath, [contender, name, mix], { encoding: 'utf8' })));
    }
  }
  const least = (name, figure) => Math.min(...results[name].map((result) => result[figure]));
  console.log(`${mix}: nanoseconds for one answer`);
  for (const name of NAMES) {
    const [best, median] = [least(name, 'best'), least(name, 'median')];
    const ratio = (other) => (least(other, 'median') / median).toFixed(1);
    console.log(`  ${name.padEnd(12)} best ${best.toFixed(0).padStart(5)}  median ${median.toFixed(0).padStart(5)}  by-hand / this ${ratio('by-hand').padStart(5)}  flagd-core / this ${ratio('flagd-core').padStart(5)}`);
  }
}

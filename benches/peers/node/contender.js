// One contender of the comparison, alone in its process: `benches/README.md` says how it is asked.
//
//   node contender.js --list
//   node contender.js NAME POPULATION.json
//
// The names of workloads come on standard input, one a line; the answer to each is a line of JSON on standard output.
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { CONTENDERS } from './contenders/index.js';
import { Workloads } from './workload.js';

// As an app runs that people use: some peers are silent only then, and one of them writes to standard output.
process.env.NODE_ENV = 'production';

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

function version(name) {
  if (name === null) {
    return process.versions.node;
  }
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
  if (!existsSync(file)) {
    throw new Error(`npm could not install ${name} here`);
  }
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/** What `--list` says of one, or why it cannot be asked. */
function listed(name, { about, distribution }) {
  try {
    return { name, version: version(distribution), about };
  } catch (problem) {
    return { name, about, error: problem.message };
  }
}

const [name, file] = process.argv.slice(2);
if (name === '--list') {
  Object.entries(CONTENDERS).forEach(([name, contender]) => say(listed(name, contender)));
} else if (file === undefined || !(name in CONTENDERS)) {
  console.error(`expected --list, or one of ${Object.keys(CONTENDERS).join(', ')} and a population.json`);
  process.exitCode = 2;
} else {
  const { load, distribution } = CONTENDERS[name];
  const population = JSON.parse(readFileSync(file, 'utf8'));
  const contender = await load(population).catch((problem) => {
    say({ error: String(problem) });
    process.exit(1);
  });
  say({ name, version: version(distribution) });
  const workloads = new Workloads(contender, population);
  for await (const line of createInterface({ input: process.stdin })) {
    say(await workloads.answer(line.trim()));
  }
  await contender.close?.();
  // Some peers keep timers and sockets that their public functions do not end.
  process.exit();
}

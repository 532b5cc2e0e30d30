// node triples.mjs HOST FILE: prints one line for each line of the file that asks for a key.
import { createReadStream, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { answers } from './triples.js';

const [name, file] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node triples.mjs <native|node-wasm|wasm|wasm-full> FILE');
  process.exit(2);
}
process.env.ESCLUSA_HOST = name;
const { host } = await import('./hosts.js');
const lines = [];
for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
  if (line !== '') {
    lines.push(line);
  }
}
let text = '';
for (const answer of answers(host, lines)) {
  text += `${answer}\n`;
  if (text.length > 1 << 20) {
    writeAll(text);
    text = '';
  }
}
writeAll(text);

/** A pipe takes what fits into it, and may be full for a moment. */
function writeAll(text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (problem) {
      if (problem.code !== 'EAGAIN') {
        throw problem;
      }
    }
  }
}

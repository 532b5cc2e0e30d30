// node chromium-triples.mjs INPUT OUTPUT [wasm|wasm-full]
//
// Answers a file of lines in Chromium, as bindings/js/test/triples.mjs does in Node: one line of output for each line
// that asks for a key, to be compared byte by byte with those of other hosts.
import { closeSync, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { launch, notOfContexts, watch } from './chromium.js';
import { serveRepository } from './repository-server.js';

/** @type {{ readonly [build: string]: string }} */
const ENGINES = { wasm: '/bindings/wasm/dist/index.js', 'wasm-full': '/bindings/wasm/dist/full/index.js' };
/** How much text comes out of the page at once. */
const CHUNK_CHARACTERS = 1 << 20;

const [input, output, build = 'wasm-full'] = process.argv.slice(2);
const engine = ENGINES[build];
if (input === undefined || output === undefined || engine === undefined) {
  console.error(`usage: node chromium-triples.mjs INPUT OUTPUT [${Object.keys(ENGINES).join('|')}]`);
  process.exit(2);
}

const [server, browser] = await Promise.all([serveRepository(), launch()]);
const file = openSync(output, 'w');
try {
  const { page, complaints } = await watch(browser);
  // The input may lie anywhere.
  await page.route('**/triples-input', (route) => route.fulfill({ path: resolve(input), contentType: 'text/plain; charset=utf-8' }));
  await page.goto(server.url);
  const answers = await page.evaluateHandle(async (path) => {
    const host = /** @type {typeof import('@esclusa/wasm')} */ (await window.load(path));
    await host.default();
    const core = await window.load('/bindings/js/test/triples.js');
    const { answers } = /** @type {{ answers(host: unknown, lines: string[]): Iterator<string, void> }} */ (core);
    const text = await (await fetch('/triples-input')).text();
    return answers(host, text.split(/\r?\n/).filter((line) => line !== ''));
  }, engine);
  for (let done = false; !done; ) {
    const next = await answers.evaluate((lines, characters) => {
      let text = '';
      while (text.length < characters) {
        const { done, value } = lines.next();
        if (done) return { done, text };
        text += `${value}\n`;
      }
      return { done: false, text };
    }, CHUNK_CHARACTERS);
    writeSync(file, next.text);
    done = next.done;
  }
  const wrong = notOfContexts(complaints);
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
} finally {
  closeSync(file);
  await browser.close();
  await server.stop();
}

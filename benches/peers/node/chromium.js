// The same contenders in a real Chromium: `node chromium.js --list`, or NAME POPULATION.json, as `contender.js`.
//
// Each runs in a page of its own, which is isolated from others so that its clock is fine enough to time calls. Nothing
// listens anywhere: the page's requests are answered from this folder.
import { existsSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const QUIET = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const PAGE = 'http://localhost/';
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const WASM = '@esclusa/wasm';

/** Each names a module, and in it the function that makes it out of the population and, if it has one, its package. */
const CONTENDERS = {
  'esclusa-wasm': {
    about: 'the small build: isEnabled with a prebuilt Context; built: with a plain object that says `role`',
    make: ['/contenders/own.js', 'isEnabled', `/node_modules/${WASM}/dist/index.js`],
  },
  'esclusa-wasm-full': {
    about: 'the full build, otherwise the same',
    make: ['/contenders/own.js', 'isEnabled', `/node_modules/${WASM}/dist/full/index.js`],
  },
  'by-hand-if': {
    about: 'one function: three looks at sets and a 64-bit hash of the user',
    make: ['/contenders/by-hand.js', 'condition'],
  },
  'by-hand-engine': {
    about: 'the least engine that reads such flags from rows: contenders/by-hand.js, with the same 64-bit hash',
    make: ['/contenders/by-hand.js', 'engine'],
  },
  loop: {
    about: 'nothing but the loop, to be taken off from others where it matters',
    make: ['/contenders/by-hand.js', 'loop'],
  },
};

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const here = (path) => new URL(`.${path}`, import.meta.url);

async function launch() {
  const executablePath = [process.env.ESCLUSA_CHROMIUM, ...PLACES].find((place) => place && existsSync(place));
  if (executablePath === undefined) {
    console.error(`no Chromium found, expected one of ${PLACES.join(', ')}, or its path in ESCLUSA_CHROMIUM`);
    process.exit(1);
  }
  return chromium.launch({ executablePath, args: QUIET });
}

/** Ours have the version of the package, what is written by hand that of the browser. */
function version(name, browser) {
  const isOurs = CONTENDERS[name].make.length > 2;
  return isOurs ? JSON.parse(readFileSync(here(`/node_modules/${WASM}/package.json`), 'utf8')).version : browser.version();
}

function answer(route, population) {
  const { pathname } = new URL(route.request().url());
  const headers = { ...ISOLATED, 'content-type': TYPES[extname(pathname)] ?? 'text/html' };
  if (pathname === '/') {
    return route.fulfill({ headers, body: '<!doctype html><link rel="icon" href="data:,"><title>benchmark</title>' });
  }
  return route.fulfill({ headers, path: pathname === '/population.json' ? population : fileURLToPath(here(pathname)) });
}

/** A page in which `window.workloads` answers. */
async function open(browser, name, population) {
  const page = await browser.newPage();
  page.on('pageerror', (problem) => console.error(String(problem)));
  await page.route('**/*', (route) => answer(route, population));
  await page.goto(PAGE);
  await page.evaluate(async ([module, make, engine]) => {
    if (!crossOriginIsolated) throw new Error('the page is not isolated, so its clock is too coarse');
    const population = await (await fetch('/population.json')).json();
    const contender = await import(module);
    const { Workloads } = await import('/workload.js');
    const host = engine === undefined ? undefined : await import(engine);
    await host?.default();
    const made = host === undefined ? contender[make](population) : contender[make](host, population);
    window.workloads = new Workloads(made, population);
  }, CONTENDERS[name].make);
  return page;
}

const [name, file] = process.argv.slice(2);
if (name !== '--list' && (file === undefined || !(name in CONTENDERS))) {
  console.error(`expected --list, or one of ${Object.keys(CONTENDERS).join(', ')} and a population.json`);
  process.exit(2);
}
const browser = await launch();
try {
  if (name === '--list') {
    for (const [name, { about }] of Object.entries(CONTENDERS)) {
      say({ name, version: version(name, browser), about: `Chromium ${browser.version()}, ${about}` });
    }
  } else {
    const page = await open(browser, name, file).catch(async (problem) => {
      say({ error: String(problem) });
      await browser.close();
      process.exit(1);
    });
    say({ name, version: version(name, browser) });
    for await (const line of createInterface({ input: process.stdin })) {
      say(await page.evaluate((workload) => window.workloads.answer(workload), line.trim()));
    }
  }
} finally {
  await browser.close();
}

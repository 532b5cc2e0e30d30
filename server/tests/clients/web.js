// The unmodified OFREP client for browsers, in Chromium, on a page of another origin: every answer of the engine, the
// answers of another company when that alone changes, and a change of the flags without a question.
//
// node web.js URL TOKEN QUESTIONS FLAGS CHANGED; CHANGED takes the place of FLAGS.
import { copyFileSync, readFileSync, renameSync } from 'node:fs';
import { createServer } from 'node:http';
import { rolldown } from 'rolldown';
import { launch, watch } from '../../../bindings/react/browser/chromium.js';

const [url, token, questions, flags, changed] = process.argv.slice(2);

const bundle = await rolldown({ input: new URL('page.js', import.meta.url).pathname, platform: 'browser', logLevel: 'silent' });
const { output } = await bundle.generate({ format: 'iife' });
const html = `<!doctype html><meta charset="utf-8"><title>OFREP</title><link rel="icon" href="data:,"><script>${output[0].code.replaceAll('</script', '<\\/script')}</script>`;
const pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html));
await new Promise((resolve) => pages.listen(0, '127.0.0.1', resolve));

const browser = await launch();
try {
  const { page, complaints } = await watch(browser);
  await page.goto(`http://127.0.0.1:${pages.address().port}/`);
  const asked = readFileSync(questions, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const contexts = new Map(asked.map(({ context }) => [JSON.stringify(context), context]));
  const setContext = (context) => page.evaluate((context) => window.ofrep.setContext(context), context);
  /** The client shows what it has kept for the user until the server has answered. */
  const until = async (questions, what) => {
    const wait = page.waitForFunction((questions) => window.ofrep.wrong(questions).length === 0, questions);
    await wait.catch(async () => {
      throw new Error(`${what}: ${JSON.stringify((await page.evaluate((all) => window.ofrep.wrong(all), questions)).slice(0, 3))}`);
    });
  };
  const ofAcme = (value) => [{ key: 'of_acme', type: 'boolean', value, variant: value ? 'on' : 'off' }];

  await page.evaluate((all) => window.ofrep.start(...all), [url, token, { targetingKey: 'ana', company: 'acme' }]);
  await until(ofAcme(true), 'acme');
  // A user who changes company, and nothing else, gets the answers of the other company.
  await setContext({ targetingKey: 'ana', company: 'rival' });
  await until(ofAcme(false), 'rival');
  await setContext({ targetingKey: 'ana', company: 'acme' });
  await until(ofAcme(true), 'acme again');

  // A change arrives without a question.
  const before = await page.evaluate(() => window.ofrep.changes());
  copyFileSync(changed, `${flags}.new`);
  renameSync(`${flags}.new`, flags);
  const began = Date.now();
  await until(ofAcme(false), 'after the change');
  const took = Date.now() - began;
  if ((await page.evaluate(() => window.ofrep.changes())) <= before) throw new Error('no event tells of the change');

  let count = 0;
  for (const [name, context] of contexts) {
    await setContext(context);
    const questions = asked.filter(({ context }) => JSON.stringify(context) === name);
    await until(questions, name);
    count += questions.length;
  }
  if (count === 0 || complaints.length > 0) throw new Error(complaints.join('\n'));
  console.log(`${count} answers in Chromium; a change after ${took} ms`);
} finally {
  await browser.close();
  pages.close();
}

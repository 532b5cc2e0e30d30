// The server of the example. It renders the page with the values that the engine works out for the caller, and hands
// the same caller a client snapshot when the browser asks for one. `--dev` serves the sources through Vite.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const FOLDER = import.meta.dirname;
const CLIENT = join(FOLDER, 'dist/client');
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.html': 'text/html' };
const NO_STORE = { 'cache-control': 'no-store' };

const isDev = process.argv.includes('--dev');
const port = Number(process.env.PORT ?? 5173);
const data = await readFile(join(FOLDER, '../data/feature_flags.json'), 'utf8');

const server = createServer((request, response) => {
  answer(request, response).catch((problem) => {
    console.error(problem);
    response.writeHead(problem.code === 'ENOENT' ? 404 : 500).end();
  });
});
const vite = isDev ? await import('vite') : undefined;
// Vite talks to the page through this server too, rather than through a port of its own.
const dev = await vite?.createServer({ root: FOLDER, appType: 'custom', server: { middlewareMode: true, hmr: { server } } });
const { Desk } = dev ? await dev.ssrLoadModule('/src/server.tsx') : await import('./dist/server/server.js');
const desk = new Desk(data);

async function page(url) {
  const template = await readFile(join(isDev ? FOLDER : CLIENT, 'index.html'), 'utf8');
  const html = dev ? await dev.transformIndexHtml(url.pathname, template) : template;
  const { screen, handed } = desk.page(url.searchParams);
  // Functions, because a text after `replace` may hold `$`.
  return html.replace('<!--screen-->', () => screen).replace('<!--handed-->', () => handed);
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  const route = `${request.method} ${url.pathname}`;
  if (route === 'GET /') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...NO_STORE }).end(await page(url));
  } else if (route === 'GET /api/flags') {
    json(response, desk.hand(url.searchParams));
  } else if (route === 'POST /api/rollback') {
    desk.setStatus(url.searchParams.get('flag'), 'rolled_back');
    json(response, desk.hand(url.searchParams));
  } else if (route === 'POST /api/restore') {
    desk.setStatus(url.searchParams.get('flag'), 'active');
    json(response, desk.hand(url.searchParams));
  } else if (dev) {
    dev.middlewares(request, response);
  } else {
    await asset(url.pathname, response);
  }
}

function json(response, value) {
  response.writeHead(200, { 'content-type': 'application/json', ...NO_STORE }).end(JSON.stringify(value));
}

async function asset(path, response) {
  const file = normalize(join(CLIENT, decodeURIComponent(path)));
  const type = TYPES[extname(file)];
  if (!file.startsWith(join(CLIENT, 'assets')) || !type) {
    response.writeHead(404).end();
    return;
  }
  const bytes = await readFile(file);
  response.writeHead(200, { 'content-type': type, 'cache-control': 'max-age=31536000, immutable' }).end(bytes);
}

server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));

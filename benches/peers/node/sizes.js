// What a browser loads for each package, as an app's bundler leaves it: a line of JSON each.
//
//   node sizes.js
//
// Each is used as its documentation begins: the client is made, and no more than that is imported. Bundled with rolldown
// for browsers, minified, and gzipped at level 9; modules of WebAssembly are files beside it, gzipped as well.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { rolldown } from 'rolldown';

const HERE = 'in the browser';
const THERE = 'on a server, which sends values';
const own = (path, evaluates) => ({
  code: `import init, { Flags } from '@esclusa/wasm${path}'; await init(); globalThis.app = new Flags();`,
  wasm: [`@esclusa/wasm/dist${path}/esclusa.wasm`],
  evaluates,
});

/** What an app writes, the modules of WebAssembly that it loads then, and where flags are evaluated. */
const PACKAGES = {
  '@esclusa/react': {
    code: `export * from '@esclusa/react'; export { readProjection } from '@esclusa/react/html';`,
    evaluates: `${THERE}; without React itself`,
    without: /^react($|\/)/,
  },
  '@esclusa/wasm': own('', HERE),
  '@esclusa/wasm/sync': own('/sync', HERE),
  '@esclusa/wasm/full': own('/full', HERE),
  '@configcat/sdk': {
    code: `import { PollingMode, getClient } from '@configcat/sdk/browser'; globalThis.app = getClient('key', PollingMode.AutoPoll);`,
    evaluates: HERE,
  },
  '@flipt-io/flipt-client-js': {
    code: `import { FliptClient } from '@flipt-io/flipt-client-js/browser'; globalThis.app = await FliptClient.init({});`,
    evaluates: HERE,
  },
  '@flipt-io/flipt-client-js/slim': {
    code: `import { FliptClient } from '@flipt-io/flipt-client-js/slim'; globalThis.app = await FliptClient.init({}, { wasm: fetch('/engine.wasm') });`,
    wasm: ['@flipt-io/flipt-client-js/dist/flipt_engine_wasm_js_bg.wasm'],
    evaluates: HERE,
  },
  '@growthbook/growthbook': {
    code: `import { GrowthBook } from '@growthbook/growthbook'; globalThis.app = new GrowthBook({});`,
    evaluates: HERE,
  },
  '@launchdarkly/js-client-sdk': {
    code: `import { createClient } from '@launchdarkly/js-client-sdk'; globalThis.app = createClient('key', { kind: 'user', key: 'user' });`,
    evaluates: THERE,
  },
  'launchdarkly-js-client-sdk': {
    code: `import { initialize } from 'launchdarkly-js-client-sdk'; globalThis.app = initialize('key', { kind: 'user', key: 'user' });`,
    evaluates: THERE,
  },
  '@openfeature/flagd-web-provider': {
    code: `import { FlagdWebProvider } from '@openfeature/flagd-web-provider'; import { OpenFeature } from '@openfeature/web-sdk';
      OpenFeature.setProvider(new FlagdWebProvider({ host: 'localhost', port: 8013, tls: false })); globalThis.app = OpenFeature.getClient();`,
    evaluates: THERE,
  },
  '@statsig/js-client': {
    code: `import { StatsigClient } from '@statsig/js-client'; globalThis.app = new StatsigClient('key', {});`,
    evaluates: THERE,
  },
  flagsmith: {
    code: `import { createFlagsmithInstance } from 'flagsmith'; globalThis.app = createFlagsmithInstance();`,
    evaluates: THERE,
  },
  'unleash-proxy-client': {
    code: `import { UnleashClient } from 'unleash-proxy-client'; globalThis.app = new UnleashClient({ url: 'http://localhost', clientKey: 'key', appName: 'app' });`,
    evaluates: THERE,
  },
};

const here = fileURLToPath(new URL('.', import.meta.url));
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

function manifest(name) {
  const file = `${here}node_modules/${name}/package.json`;
  if (!existsSync(file)) {
    throw new Error(`npm could not install ${name} here`);
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Everything that the bundler writes for this code. */
async function bundled(code, without) {
  const entry = 'virtual:app';
  const app = {
    name: 'app',
    resolveId: (id) => (id === entry ? `${here}app.js` : null),
    load: (id) => (id === `${here}app.js` ? code : null),
  };
  const onLog = () => {};
  const input = { input: entry, cwd: here, platform: 'browser', plugins: [app], external: without, onLog };
  const bundle = await rolldown(input);
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  return output.map((file) => Buffer.from(file.type === 'chunk' ? file.code : file.source));
}

/** How large one of them is. */
async function measured(name, { code, wasm = [], without }) {
  const { version } = manifest(name.startsWith('@') ? name.split('/', 2).join('/') : name);
  const files = await bundled(code, without);
  const modules = wasm.map((module) => readFileSync(`${here}node_modules/${module}`));
  const sum = (parts, size) => parts.reduce((total, part) => total + size(part), 0);
  const [javascript, webassembly] = [sum(files, gzipped), sum(modules, gzipped)];
  return { version, minified: sum(files, (file) => file.length), javascript, webassembly, gzipped: javascript + webassembly };
}

for (const [name, { evaluates, ...app }] of Object.entries(PACKAGES)) {
  const size = await measured(name, app).catch((problem) => ({ error: problem.message.split('\n', 1)[0] }));
  console.log(JSON.stringify({ name, ...size, evaluates }));
}

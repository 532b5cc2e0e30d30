// The packages as their users import them, by name; the environment variable ESCLUSA_HOST chooses one for a test.
export const HOSTS = ['native', 'node-wasm', 'wasm', 'wasm-full'];

/** The memory of each module that was started: packages keep theirs to themselves, and a test wants to see it grow. */
export const memories = [];
const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  constructor(...given) {
    super(...given);
    memories.push(this.exports.memory);
  }
};

/** Loads a package; `native` and `node-wasm` are `@esclusa/node`, which chooses its engine once for a process. */
export async function load(name) {
  if (name === 'native' || name === 'node-wasm') {
    process.env.ESCLUSA_ENGINE = name === 'native' ? 'native' : 'wasm';
    return import('@esclusa/node');
  }
  const host = name === 'wasm' ? await import('@esclusa/wasm') : await import('@esclusa/wasm/full');
  await host.default();
  return host;
}

export const name = process.env.ESCLUSA_HOST ?? 'native';

/** What the build of that package has: the small one leaves out what a browser does without (8.10, 8.14, 10.1, 10.7). */
export const build = { regex: name !== 'wasm', rules: name !== 'wasm', explain: name !== 'wasm', messages: name !== 'wasm', clientSnapshots: name !== 'wasm' };

if (!HOSTS.includes(name)) {
  throw new Error(`ESCLUSA_HOST is \`${name}\`, expected one of ${HOSTS.join(', ')}`);
}
export const host = await load(name);

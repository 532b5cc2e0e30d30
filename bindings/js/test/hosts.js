// The packages as their users import them, by name; the environment variable ESCLUSA_HOST chooses one for a test.
export const HOSTS = ['native', 'node-wasm', 'wasm', 'wasm-sync', 'wasm-full'];

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
    const host = await import('@esclusa/node');
    return { ...host, sync: (flags, source, options) => flags.sync(source, options) };
  }
  const host = await { wasm: () => import('@esclusa/wasm'), 'wasm-sync': () => import('@esclusa/wasm/sync'), 'wasm-full': () => import('@esclusa/wasm/full') }[name]();
  await host.default();
  return host;
}

export const name = process.env.ESCLUSA_HOST ?? 'native';

/** What the build of that package has: the small ones leave out what a browser does without (8.10, 8.14, 10.1, 10.7). */
const isSmall = name === 'wasm' || name === 'wasm-sync';
export const build = { regex: !isSmall, rules: !isSmall, explain: !isSmall, messages: !isSmall, clientSnapshots: !isSmall, sync: name !== 'wasm' };

if (!HOSTS.includes(name)) {
  throw new Error(`ESCLUSA_HOST is \`${name}\`, expected one of ${HOSTS.join(', ')}`);
}
export const host = await load(name);

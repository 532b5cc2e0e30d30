// What the packages keep to themselves, around the engine of the package that ESCLUSA_HOST names: the same sources as the
// package has, bundled once more with another face.
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { rolldown } from 'rolldown';

import { name } from './hosts.js';

const bindings = fileURLToPath(new URL('../../', import.meta.url));
const source = (path) => JSON.stringify(`${bindings}${path}`);

/** How each package starts its engine. */
const NODE = `import { load } from ${source('node/src/load.ts')};
import { install } from ${source('js/src/engine.ts')};
install(load().engine);`;
const wasm = (entry, folder) => `import { readFileSync } from 'node:fs';
import { initSync } from ${source(`wasm/src/${entry}.ts`)};
initSync(readFileSync(${source(`wasm/dist/${folder}esclusa.wasm`)}));`;
const STARTS = { native: NODE, 'node-wasm': NODE, 'wasm-sync': wasm('sync', 'sync/'), 'wasm-full': wasm('full', 'full/') };

const PARTS = {
  Protocol: 'sync/protocol.ts',
  EventReader: 'sync/http/event-reader.ts',
  ask: 'sync/asking.ts',
  decide: 'sync/decide.ts',
  http: 'sync/http.ts',
  line: 'sync/status.ts',
  policyText: 'sync/policy.ts',
  understood: 'sync/understood.ts',
  redacted: 'sync/redaction.ts',
  retryAfterMs: 'sync/http/retry-after.ts',
};

/** The parts of staying fresh, with a started engine. */
export async function inside() {
  const faces = Object.entries(PARTS).map(([part, path]) => `export { ${part} } from ${source(`js/src/${path}`)};`);
  // It lies where the package's own file does, and so finds the addon.
  const file = `${bindings}node/dist/inside-${process.pid}`;
  writeFileSync(`${file}.ts`, [STARTS[name], ...faces].join('\n'));
  try {
    const bundle = await rolldown({ input: `${file}.ts`, platform: 'node', external: ['./wasm.cjs'] });
    const { output } = await bundle.generate({ file: `${file}.cjs`, format: 'cjs' });
    // The stand-in for the addon lies beside the package's file, not beside its source.
    writeFileSync(`${file}.cjs`, output[0].code.replace('../src/wasm.cjs', './wasm.cjs'));
    return createRequire(import.meta.url)(`${file}.cjs`);
  } finally {
    rmSync(`${file}.ts`, { force: true });
    rmSync(`${file}.cjs`, { force: true });
  }
}

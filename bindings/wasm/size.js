// How much a browser loads: the small module, and its JavaScript as an app's bundler minifies it. Run it to see the parts.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { rolldown } from 'rolldown';

/** The most that the module and its JavaScript may have, gzipped: what an app pays for flags in the browser, without React. */
export const BUDGET_BYTES = 80_000;

const here = fileURLToPath(new URL('dist/', import.meta.url));
const part = (what, bytes) => ({ what, raw: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length });

export async function measure() {
  const javascript = async (file) => {
    const bundle = await rolldown({ input: `${here}${file}` });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    return Buffer.from(output[0].code);
  };
  const small = [
    part('esclusa.wasm', readFileSync(`${here}esclusa.wasm`)),
    part('its JavaScript, minified', await javascript('index.js')),
  ];
  const sync = [
    part('sync/esclusa.wasm', readFileSync(`${here}sync/esclusa.wasm`)),
    part('its JavaScript, minified', await javascript('sync/index.js')),
  ];
  const full = [
    part('full/esclusa.wasm', readFileSync(`${here}full/esclusa.wasm`)),
    part('its JavaScript, minified', await javascript('full/index.js')),
  ];
  return { parts: [...small, ...sync, ...full], total: small[0].gzipped + small[1].gzipped };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { parts, total } = await measure();
  for (const { what, raw, gzipped } of parts) {
    console.log(`${what.padEnd(26)} ${String(raw).padStart(9)} bytes ${String(gzipped).padStart(8)} gzipped`);
  }
  console.log(`a browser loads ${total} bytes gzipped, of at most ${BUDGET_BYTES}`);
  process.exitCode = total <= BUDGET_BYTES ? 0 : 1;
}

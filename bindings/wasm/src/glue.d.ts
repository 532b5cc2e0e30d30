/** What wasm-bindgen makes of `src/lib.rs`; the build puts the glue of one of the two modules in its place. */
declare module 'esclusa:glue' {
  import type { Engine } from '../../js/src/engine.js';

  export type Source = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

  /** Compiles and starts the module. */
  export default function start(given: { module_or_path: Source | Promise<Source> }): Promise<unknown>;
  /** The same at once. */
  export function initSync(given: { module: BufferSource | WebAssembly.Module }): unknown;

  export const open: Engine['open'];
  export const close: Engine['close'];
  export const publish: Engine['publish'];
  export const context: Engine['context'];
  export const scratch: Engine['scratch'];
  export const forget: Engine['forget'];
  export const slot: Engine['slot'];
  export const isEnabled: Engine['isEnabled'];
  export const resolve: Engine['resolve'];
  export const told: Engine['told'];
  export const resolveAll: Engine['resolveAll'];
  export const explain: Engine['explain'];
  export const project: Engine['project'];
  export const clientSnapshot: Engine['clientSnapshot'];
  export const keys: Engine['keys'];
  export const about: Engine['about'];
}

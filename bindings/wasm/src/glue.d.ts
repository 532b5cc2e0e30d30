/** What wasm-bindgen makes of `src/lib.rs`; the build puts the glue of one of the two modules in its place. */
declare module 'esclusa:glue' {
  import type { Exports, Glue } from '../../js/src/wasm-engine.js';

  export type Source = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

  /** Compiles and starts the module. */
  export default function start(given: { module_or_path: Source | Promise<Source> }): Promise<Exports>;
  /** The same at once. */
  export function initSync(given: { module: BufferSource | WebAssembly.Module }): Exports;

  export const open: Glue['open'];
  export const close: Glue['close'];
  export const publish: Glue['publish'];
  export const context: Glue['context'];
  export const scratch: Glue['scratch'];
  export const forget: Glue['forget'];
  export const slot: Glue['slot'];
  export const isEnabled: Glue['isEnabled'];
  export const resolve: Glue['resolve'];
  export const known: Glue['known'];
  export const told: Glue['told'];
  export const resolveAll: Glue['resolveAll'];
  export const explain: Glue['explain'];
  export const project: Glue['project'];
  export const keys: Glue['keys'];
  export const about: Glue['about'];
}

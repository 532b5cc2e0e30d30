/** The engine in the browser: loaded when the page is up, with every operator. What is published comes afterwards. */
import type { Flags } from '@esclusa/wasm/full';

let loading: Promise<Flags> | undefined;

/** Loads it once, though React mounts components twice under StrictMode. */
export function loadEngine(): Promise<Flags> {
  loading ??= import('@esclusa/wasm/full').then(async ({ default: init, Flags }) => {
    await init();
    return new Flags();
  });
  return loading;
}

/** Loading the WebAssembly, once. */
import { engine, install } from '../../js/src/engine.js';
import { wasmEngine } from '../../js/src/wasm-engine.js';

/** The module, its bytes, the response that brings it, or where it is fetched from. */
export type Module = WebAssembly.Module | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Response | URL | string;

/** What a build has more than the smallest. */
type More = Parameters<typeof wasmEngine>[1];

let starting: Promise<void> | undefined;

/** Calling it again waits for the same module. */
export function load(more: More, module?: Module | Promise<Module>): Promise<void> {
  if (engine() !== undefined) {
    return Promise.resolve();
  }
  starting ??= begin(more, module).catch((problem: unknown) => {
    // The next call tries again.
    starting = undefined;
    throw problem;
  });
  return starting;
}

async function begin(more: More, given?: Module | Promise<Module>): Promise<void> {
  const module = await compiled(await (given ?? new URL('./esclusa.wasm', import.meta.url)));
  install(wasmEngine(await WebAssembly.instantiate(module), more));
}

async function compiled(given: Module): Promise<WebAssembly.Module> {
  if (given instanceof WebAssembly.Module) {
    return given;
  }
  if (given instanceof ArrayBuffer || ArrayBuffer.isView(given)) {
    return WebAssembly.compile(given);
  }
  const response = given instanceof Response ? given : await fetch(given);
  // While it arrives, if the server says what it is; browsers refuse to do that with anything else.
  const isNamed = response.headers.get('content-type') === 'application/wasm';
  return isNamed ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/** The same at once, from a compiled module or its bytes. */
export function loadNow(more: More, given: WebAssembly.Module | ArrayBuffer | ArrayBufferView<ArrayBuffer>): void {
  if (engine() === undefined) {
    const module = given instanceof WebAssembly.Module ? given : new WebAssembly.Module(given);
    install(wasmEngine(new WebAssembly.Instance(module), more));
  }
}

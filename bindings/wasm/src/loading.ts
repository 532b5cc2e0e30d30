/** Loading the WebAssembly, once. */
import { engine, install } from '../../js/src/engine.js';
import { viewOf } from '../../js/src/publication.js';
import { wasmEngine } from '../../js/src/wasm-engine.js';

/** The module, its bytes, a response with it, or its URL. */
export type Module = WebAssembly.Module | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Response | URL | string;

/** The functions that a build has in addition to the smallest. */
type More = Parameters<typeof wasmEngine>[1];

let starting: Promise<void> | undefined;

/** A second call waits for the same module. */
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
  if (isModule(given)) {
    return given;
  }
  const bytes = viewOf(given);
  if (bytes !== undefined) {
    return WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
  }
  const response = isResponse(given) ? given : await fetched(given as URL | string);
  if (!response.ok) {
    const where = response.url === '' ? '' : ` for ${response.url}`;
    throw new Error(`esclusa.wasm: the server answers ${response.status}${where}: ${ADVICE}`);
  }
  // Compiles while it arrives, if the server sends the right type; browsers refuse any other.
  const isNamed = response.headers.get('content-type') === 'application/wasm';
  if (isNamed) {
    return WebAssembly.compileStreaming(response);
  }
  const text = new Uint8Array(await response.arrayBuffer());
  // An HTML page, as servers of single-page apps send for every unknown address.
  if (text[0] !== 0 || text[1] !== 0x61) {
    throw new Error(`esclusa.wasm: what ${response.url || 'the server'} gives is no WebAssembly: ${ADVICE}`);
  }
  return WebAssembly.compile(text);
}

const ADVICE = 'copy the file from @esclusa/wasm to where it is asked for, or pass its address, its bytes or the module to init()';

async function fetched(address: URL | string): Promise<Response> {
  try {
    return await fetch(address);
  } catch (problem) {
    throw new Error(`esclusa.wasm cannot be fetched from ${String(address)}: ${ADVICE}`, { cause: problem });
  }
}

/** Of any realm: in an edge runtime the app has another `WebAssembly` than the package. */
function isModule(given: unknown): given is WebAssembly.Module {
  return Object.prototype.toString.call(given) === '[object WebAssembly.Module]';
}

function isResponse(given: unknown): given is Response {
  return typeof (given as { arrayBuffer?: unknown } | null)?.arrayBuffer === 'function' && typeof (given as { status?: unknown }).status === 'number';
}

/** The same at once, from a compiled module or its bytes. */
export function loadNow(more: More, given: WebAssembly.Module | ArrayBuffer | ArrayBufferView<ArrayBuffer>): void {
  if (engine() === undefined) {
    const module = isModule(given) ? given : new WebAssembly.Module(given);
    install(wasmEngine(new WebAssembly.Instance(module), more));
  }
}

/** Loads the engine: the native one if its addon can be loaded, else the same engine in WebAssembly. */
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

import type { Engine } from '../../js/src/engine.js';
import { withMappings } from '../../js/src/mapping.js';
import { type Addon, type NativeEngine, nativeEngine } from './native.js';

/** This file becomes CommonJS: a bundler sees this literal `require`, and includes the file. */
declare const require: (file: './wasm.cjs') => typeof import('./wasm.js');
/** A `require` that bundlers do not follow: the addon is a system library. */
const requireAddon = createRequire(typeof __filename === 'string' && isAbsolute(__filename) ? __filename : join(process.cwd(), 'index.js'));
const SAID = 'esclusa: WebAssembly runs instead of the native engine';

/** The engine that was loaded. */
export type Loaded = { name: 'native'; engine: NativeEngine } | { name: 'wasm'; engine: Engine };

/**
 * Loads the engine. The environment variable `ESCLUSA_ENGINE` selects `native` or `wasm`; without it, a missing addon
 * is reported once, as a warning of the process.
 */
export function load(): Loaded {
  const wanted = process.env['ESCLUSA_ENGINE'] ?? '';
  if (!['', 'native', 'wasm'].includes(wanted)) {
    throw new Error(`ESCLUSA_ENGINE is \`${wanted}\`, expected \`native\` or \`wasm\``);
  }
  if (wanted === 'wasm') {
    return { name: 'wasm', engine: wasm() };
  }
  try {
    return { name: 'native', engine: withMappings(nativeEngine(addon())) };
  } catch (problem) {
    const why = problem instanceof Error ? problem.message : String(problem);
    if (wanted === 'native') {
      throw new Error(`ESCLUSA_ENGINE asks for the native engine, which cannot be loaded: ${why}`, { cause: problem });
    }
    warn(`the native engine cannot be loaded, so flags are resolved in WebAssembly: ${why}. ${BUNDLED}`);
    return { name: 'wasm', engine: wasm() };
  }
}

const BUNDLED =
  'In a bundle, keep @esclusa/node outside of it: serverExternalPackages in Next.js, externals in webpack, --external:@esclusa/node in esbuild';

/** Once per process: workers know the warnings of the thread that starts them. */
function warn(warning: string): void {
  if (getEnvironmentData(SAID) === undefined) {
    setEnvironmentData(SAID, true);
    process.emitWarning(warning, { type: 'EsclusaWarning', code: 'ESCLUSA_WASM' });
  }
}

function wasm(): Engine {
  // The mappings of this file: the other file has classes of its own.
  return withMappings(require('./wasm.cjs').start());
}

/** The addon: next to the package, where a build from source puts it, or in the package for this platform. */
function addon(): Addon {
  const platform = `${process.platform}-${process.arch}${library()}`;
  const problems: string[] = [];
  for (const place of [`../esclusa.${platform}.node`, `@esclusa/node-${platform}`]) {
    try {
      return requireAddon(place) as Addon;
    } catch (problem) {
      problems.push(problem instanceof Error ? (problem.message.split('\n', 1)[0] ?? '') : String(problem));
    }
  }
  throw new Error(problems.join('; '));
}

/** The C library and ABI of the platform, as npm packages name them. */
function library(): string {
  if (process.platform === 'win32') {
    return '-msvc';
  }
  if (process.platform !== 'linux') {
    return '';
  }
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  // Otherwise the report may look up the host names of all connections.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before ?? false;
  return header?.glibcVersionRuntime === undefined ? '-musl' : '-gnu';
}

/** Which engine runs: the native one where its addon can be loaded, else the same engine in WebAssembly. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

import type { Engine } from '../../js/src/engine.js';
import { type Addon, type NativeEngine, nativeEngine } from './native.js';

const require = createRequire(import.meta.url);
const SAID = 'esclusa: WebAssembly runs instead of the native engine';

/** The engine that was loaded. */
export type Loaded = { name: 'native'; engine: NativeEngine } | { name: 'wasm'; engine: Engine };

/**
 * Loads the engine. The environment variable `ESCLUSA_ENGINE` asks for `native` or `wasm`; without it, a missing addon
 * is said once as a warning of the process.
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
    return { name: 'native', engine: nativeEngine(addon()) };
  } catch (problem) {
    const why = problem instanceof Error ? problem.message : String(problem);
    if (wanted === 'native') {
      throw new Error(`ESCLUSA_ENGINE asks for the native engine, which cannot be loaded: ${why}`, { cause: problem });
    }
    warn(`the native engine cannot be loaded, so flags are resolved in WebAssembly: ${why}`);
    return { name: 'wasm', engine: wasm() };
  }
}

/** Once for a process: what a thread has said is known to the workers that it starts. */
function warn(warning: string): void {
  if (getEnvironmentData(SAID) === undefined) {
    setEnvironmentData(SAID, true);
    process.emitWarning(warning, { type: 'EsclusaWarning', code: 'ESCLUSA_WASM' });
  }
}

function wasm(): Engine {
  const { start } = require('./wasm.cjs') as typeof import('./wasm.js');
  return start(readFileSync(new URL('./esclusa.wasm', import.meta.url)));
}

/** The addon: beside the package, where a build from source puts it, or in the package for this platform. */
function addon(): Addon {
  const platform = `${process.platform}-${process.arch}${library()}`;
  const problems: string[] = [];
  for (const place of [`../esclusa.${platform}.node`, `@esclusa/node-${platform}`]) {
    try {
      return require(place) as Addon;
    } catch (problem) {
      problems.push(problem instanceof Error ? (problem.message.split('\n', 1)[0] ?? '') : String(problem));
    }
  }
  throw new Error(problems.join('; '));
}

/** Which C library and ABI the platform has, in the words that npm packages use. */
function library(): string {
  if (process.platform === 'win32') {
    return '-msvc';
  }
  if (process.platform !== 'linux') {
    return '';
  }
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  // Otherwise the report may look up the names of everybody whom the process is connected to.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before ?? false;
  return header?.glibcVersionRuntime === undefined ? '-musl' : '-gnu';
}

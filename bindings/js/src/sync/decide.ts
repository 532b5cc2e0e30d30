/** Decisions of staying fresh that are the same in every host [11]: the engine takes them. */
import { engine } from '../engine.js';
import { missing } from './missing.js';

/** The engine's decision; the documentation of the core's `sync::decide` lists the questions. */
export function decide(question: { readonly decide: string; readonly [name: string]: unknown }): unknown {
  const ask = engine()?.decide ?? missing('sync');
  return JSON.parse(ask(JSON.stringify(question)));
}

/** Layers: several sources are merged into one [13]. */
import { type Engine, engine } from '../engine.js';
import { type Snapshot, bytesOf } from '../publication.js';
import { ask, begin, failureOf, mappedByOf, nameOf, polledOf, sourceOf, watch } from './asking.js';
import { areSame } from './bytes.js';
import { decide } from './decide.js';
import { native, nativeNow, translationOf } from './mapped.js';
import { missing } from './missing.js';
import { Failure, type Fetch, NOT_MODIFIED, type Request, type Source } from './source.js';

/**
 * Several sources as one, the uppermost first: the environment over a store over a bundled snapshot.
 *
 * All are asked at the same time. If one fails, the merged snapshot has its last content and the answers of the others;
 * the status is then `failing`, with the name of the layer.
 */
export function layers(...sources: (Source | Fetch)[]): Source {
  if (sources.length === 0) {
    throw new TypeError('there is no layer, expected at least one');
  }
  const all = sources.map((source) => new Layer(sourceOf(source)));
  // The state of `decide` from one request to the next.
  let [made, given] = [0, 0];
  /** Undefined while too few layers have answered [13.12]. */
  const merged = async (): Promise<Uint8Array | undefined> => mergedOf(await join(all.map(({ content }) => content)), all);

  return {
    // Computed on each access: the engine may be loaded later.
    get name() {
      return all.map(({ name }) => name).join(' over ');
    },
    get polled() {
      const reasons = all.map(({ name, source }) => [name, polledOf(source)]).filter(([, why]) => why !== null);
      return reasons.length === 0 ? null : reasons.map(([name, why]) => `${name}: ${why}`).join('; ');
    },
    get mappedBy() {
      const by = all.map(({ source }) => mappedByOf(source)).filter((by) => by !== null);
      return by.find((one) => one === 'app instead of stored') ?? by[0] ?? null;
    },
    async fetch(request) {
      const answers = await Promise.all(all.map((layer) => layer.ask(request).catch(failureOf)));
      const failures: { layer: string; error: string; retry_after_ms: number | null }[] = [];
      let isNew = false;
      answers.forEach((answer, at) => {
        const layer = all[at] as Layer;
        if (!(answer instanceof Failure)) {
          isNew = answer || isNew;
          return;
        }
        isNew = layer.instead(answer.instead) || isNew;
        failures.push({ layer: layer.name, error: answer.message, retry_after_ms: answer.retryAfterMs });
      });
      const concluded = decide({ decide: 'layers', made, given, etag: request.etag, is_new: isNew, failures }) as Concluded;
      ({ made, given } = concluded);
      if (concluded.answer === 'failure') {
        throw new Failure(concluded.error, { retryAfterMs: concluded.retry_after_ms, instead: concluded.with_snapshot ? await merged() : null });
      }
      if (concluded.answer === 'not_modified') {
        return NOT_MODIFIED;
      }
      const bytes = await merged();
      if (bytes === undefined) {
        throw new Failure('no layer has answered, expected one');
      }
      return { bytes, etag: concluded.etag };
    },
    watch(tell) {
      const stops = all.map(({ source }) => watch(source, tell, () => tell('disconnected')));
      return () => stops.forEach((stop) => stop());
    },
    bootstrap() {
      const begun = all.map((layer) => layer.begin());
      const made = (): Uint8Array | undefined => mergedOf(joinNow(all.map(({ content }) => content)), all);
      return begun.some((one) => one !== undefined) ? Promise.all(begun).then(made) : made();
    },
  };
}

/** What the engine concludes when every layer has answered [13.11]. */
type Concluded = { made: number; given: number } & (
  | { answer: 'not_modified' }
  | { answer: 'snapshot'; etag: string }
  | { answer: 'failure'; error: string; retry_after_ms: number | null; with_snapshot: boolean }
);

/** A source with its last content. */
class Layer {
  readonly source: Source;
  content: Uint8Array | undefined;
  #etag: string | null = null;

  constructor(source: Source) {
    this.source = source;
  }

  get name(): string {
    return nameOf(this.source);
  }

  /** Sends a request; true if the content has changed. */
  async ask({ inFull, allowEmpty, signal }: Request): Promise<boolean> {
    const answer = await ask(this.source, { etag: this.#etag, revision: null, inFull, allowEmpty, signal });
    if (signal.aborted) {
      throw new Failure('the answer came too late');
    }
    if ('esclusa' in answer) {
      if (this.content === undefined) {
        this.#etag = null;
        throw new Failure('not modified, but there is nothing yet, expected a snapshot');
      }
      return false;
    }
    const bytes = await native(translationOf(this.source), answer.bytes);
    // Only a snapshot may replace one [13.8].
    mergedOf(await join([bytes]), [this], '');
    this.#etag = answer.etag;
    return this.setContent(bytes);
  }

  /** Takes the source's snapshot in place of an answer; true if the content has changed. */
  instead(given: Snapshot | null): boolean {
    if (given === null) {
      return false;
    }
    try {
      return this.setContent(nativeNow(translationOf(this.source), bytesOf(given)));
    } catch {
      // It does not fit the mapping, and is ignored.
      return false;
    }
  }

  setContent(bytes: Uint8Array): boolean {
    const isNew = this.content === undefined || !areSame(this.content, bytes);
    this.content = bytes;
    return isNew;
  }

  /** Takes the source's bootstrap, if it has one that is a snapshot. */
  begin(): Promise<void> | undefined {
    const take = (bytes: Uint8Array | undefined): void => {
      if (bytes !== undefined) {
        const snapshot = nativeNow(translationOf(this.source), bytes);
        mergedOf(joinNow([snapshot]), [this]);
        this.content ??= snapshot;
      }
    };
    try {
      const begun = begin(this.source);
      if (begun instanceof Promise) {
        // The source is asked in a moment, and will report the error then.
        return begun.then(take).catch(() => undefined);
      }
      take(begun);
    } catch {
      // Here too.
    }
    return undefined;
  }
}

type Layered = NonNullable<Engine['layered']>;

/** The engine's arguments: the layers one after the other, and their lengths. */
function strung(layers: readonly (Uint8Array | undefined)[]): Parameters<Layered> {
  const bytes = new Uint8Array(layers.reduce((sum, layer) => sum + (layer?.length ?? 0), 0));
  let at = 0;
  for (const layer of layers) {
    if (layer !== undefined) {
      bytes.set(layer, at);
      at += layer.length;
    }
  }
  return [bytes, JSON.stringify(layers.map((layer) => layer?.length ?? null))];
}

function joinNow(layers: readonly (Uint8Array | undefined)[]): string {
  const layered = engine()?.layered ?? missing('layers');
  return layered(...strung(layers));
}

/** The same off the event loop, where the engine can do that. */
async function join(layers: readonly (Uint8Array | undefined)[]): Promise<string> {
  const later = engine()?.layeredLater;
  return later === undefined ? joinNow(layers) : later(...strung(layers));
}

/** The engine's answer for layers; throws a refusal, with the name of the layer. */
function mergedOf(text: string, all: readonly Layer[], name?: ''): Uint8Array | undefined {
  if (text.startsWith('{"refused"')) {
    const { refused, layer } = JSON.parse(text) as { refused: string; layer: number };
    throw new Failure(name === '' ? refused : `${all[layer]?.name}: ${refused}`);
  }
  return text === '' ? undefined : bytesOf(text);
}

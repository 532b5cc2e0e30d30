/** `@esclusa/wasm` in Chromium, both builds: the vectors, the memory over a million evaluations, and what a call costs. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest';
import { launch, notOfContexts, watch } from './chromium.js';
import type { Running } from './example-server.ts';
import { ROOT, serveRepository } from './repository-server.js';

type Engine = typeof import('@esclusa/wasm');
type Vectors = {
  checkVectors(
    host: Engine,
    layers: { vectors: object[] }[],
    build: { regex: boolean },
  ): { passed: number; setAside: number; failures: string[] };
};

const LAYERS = readdirSync(join(ROOT, 'spec/vectors')).filter((file) => /^\d.*\.json$/.test(file)).sort();
const EVALUATIONS = 1_000_000;

let browser: Browser;
let running: Running;
let page: Page;
let context: BrowserContext;
let complaints: string[];

beforeAll(async () => {
  [browser, running] = [await launch(), await serveRepository()];
});

afterAll(async () => {
  await browser.close();
  await running.stop();
});

beforeEach(async () => {
  ({ page, context, complaints } = await watch(browser));
  await page.goto(running.url);
});

afterEach(async () => {
  await context.close();
});

describe.each([
  { build: 'the small build', folder: 'dist', regex: false },
  { build: 'the build with everything', folder: 'dist/full', regex: true },
])('$build', ({ folder, regex }) => {
  const engine = `/bindings/wasm/${folder}/index.js`;

  test('passes every vector', async () => {
    const result = await page.evaluate(
      async ({ engine, files, regex }) => {
        const host = (await window.load(engine)) as Engine;
        await host.default();
        const { checkVectors } = (await window.load('/bindings/js/test/vectors.js')) as Vectors;
        const layers = files.map(async (file) => (await fetch(`/spec/vectors/${file}`)).json());
        return checkVectors(host, await Promise.all(layers), { regex });
      },
      { engine, files: LAYERS, regex },
    );
    console.log(`${folder}: ${result.passed} vectors, of them ${result.setAside} set aside for what this build leaves out`);
    expect(result.failures).toEqual([]);
    expect(result.passed).toBeGreaterThan(400);
    expect(result.setAside > 0).toBe(!regex);
    expect(notOfContexts(complaints)).toEqual([]);
  });

  test('a million evaluations do not grow the memory', async () => {
    const { sizes, on } = await page.evaluate(evaluate, { engine, evaluations: EVALUATIONS });
    console.log(`${folder}: ${sizes.length} looks at the memory over ${EVALUATIONS} evaluations: ${sizes.join(', ')} bytes`);
    expect(sizes).toHaveLength(11);
    expect(new Set(sizes).size).toBe(1);
    // And they were evaluations: some on, some off.
    expect(on).toBeGreaterThan(EVALUATIONS / 100);
    expect(on).toBeLessThan(EVALUATIONS);
  });

  test('what a call costs', async () => {
    const costs = await page.evaluate(time, { engine });
    const width = Math.max(...Object.keys(costs).map((name) => name.length));
    for (const [name, ns] of Object.entries(costs)) console.log(`${folder}: ${name.padEnd(width)} ${ns.toFixed(0).padStart(6)} ns`);
    expect(Object.values(costs).every((ns) => ns > 0)).toBe(true);
  });
});

/** Runs in the page: evaluations of every kind, and the size of the engine's memory ten times on the way. */
async function evaluate({ engine, evaluations }: { engine: string; evaluations: number }) {
  const memories: WebAssembly.Memory[] = [];
  const instantiate = WebAssembly.instantiate as (module: WebAssembly.Module) => Promise<WebAssembly.Instance>;
  WebAssembly.instantiate = (async (module: WebAssembly.Module) => {
    const instance = await instantiate(module);
    memories.push(instance.exports['memory'] as WebAssembly.Memory);
    return instance;
  }) as typeof WebAssembly.instantiate;
  const host = (await window.load(engine)) as Engine;
  await host.default();
  const [memory] = memories;
  if (!memory) throw new Error('the memory was not seen');
  const flags = new host.Flags();
  flags.publishSync(await (await fetch('/examples/data/feature_flags.json')).text());
  const keys = flags.keys();
  const plans = ['FREE', 'BASIC', 'PREMIUM', 'ENTERPRISE'];
  const callers = Array.from({ length: 1000 }, (_, index) => ({
    user: `user-${index}`,
    company: `company-${index % 50}`,
    plan: plans[index % 4] ?? '',
    roles: index % 3 === 0 ? ['ADMIN', 'OWNER'] : ['AGENT'],
    region: ['CO', 'MX', 'ES'][index % 3] ?? '',
    seats: index,
  }));
  const contexts = callers.map((caller) => new host.Context(null, caller));
  let on = 0;
  const round = (count: number) => {
    for (let index = 0; index < count; index += 1) {
      const key = keys[index % keys.length] ?? '';
      const which = (index * 7) % 1000;
      // Of ten evaluations eight are prepared, one reads a plain object, and one gives the whole resolution.
      const kind = index % 10;
      if (kind === 8) on += flags.isEnabled(key, callers[which]) ? 1 : 0;
      else if (kind === 9) on += flags.resolve(key, contexts[which]).enabled ? 1 : 0;
      else on += flags.isEnabled(key, contexts[which]) ? 1 : 0;
    }
  };
  // What is built at first use is built here.
  round(50_000);
  on = 0;
  const sizes = [memory.buffer.byteLength];
  for (let tenth = 0; tenth < 10; tenth += 1) {
    round(evaluations / 10);
    sizes.push(memory.buffer.byteLength);
  }
  return { sizes, on };
}

/** Runs in the page: nanoseconds a call, the best of many short windows. */
async function time({ engine }: { engine: string }) {
  const host = (await window.load(engine)) as Engine;
  await host.default();
  const flags = new host.Flags();
  const flag = {
    name: 'crm_advanced_features',
    enabled: true,
    rollout_percentage: 10,
    target_plans: ['PREMIUM', 'ENTERPRISE'],
    target_roles: ['ADMIN', 'OWNER'],
    target_regions: ['CO', 'MX', 'AR'],
  };
  flags.publishSync(JSON.stringify([flag]));
  const callers = Array.from({ length: 10_000 }, (_, index) => ({
    user: `user-${index}`,
    company: `company-${index % 500}`,
    plan: flag.target_plans[index % 2] ?? '',
    roles: [flag.target_roles[index % 2] ?? ''],
    region: flag.target_regions[index % 3] ?? '',
  }));
  const contexts = callers.map((caller) => new host.Context(null, caller));
  let on = 0;
  const best = (windows: number, calls: number, call: (index: number) => boolean) => {
    let least = Number.POSITIVE_INFINITY;
    for (let window = 0; window < windows; window += 1) {
      const begin = performance.now();
      for (let index = 0; index < calls; index += 1) on += call(index) ? 1 : 0;
      least = Math.min(least, performance.now() - begin);
    }
    return (least / calls) * 1e6;
  };
  return {
    'isEnabled, prepared context': best(100, 10_000, (index) => flags.isEnabled(flag.name, contexts[index])),
    'isEnabled, plain object': best(50, 10_000, (index) => flags.isEnabled(flag.name, callers[index])),
    'resolve, prepared context': best(100, 10_000, (index) => flags.resolve(flag.name, contexts[index]).enabled),
    'new Context, then isEnabled': best(20, 10_000, (index) => {
      const context = new host.Context(null, callers[index]);
      const answer = flags.isEnabled(flag.name, context);
      context.free();
      return answer;
    }),
    'explain': best(10, 1_000, (index) => flags.explain(flag.name, contexts[index]).resolution.enabled),
  };
}

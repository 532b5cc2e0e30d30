// Who is compared, by the name of the package or of what is measured. Each is loaded only when it is asked.

/** @type {{ [name: string]: { about: string, distribution: string | null, load: (population: any) => Promise<any> } }} */
export const CONTENDERS = {
  esclusa: {
    about: 'the native engine: isEnabled with a prebuilt Context; built: with a plain object that says `role`',
    distribution: '@esclusa/node',
    load: async (population) => (await import('./own.js')).native(population),
  },
  'esclusa-context': {
    about: 'the native engine, built: isEnabled with a Context that is made for this answer and freed after it',
    distribution: '@esclusa/node',
    load: async (population) => (await import('./own.js')).nativeContext(population),
  },
  'esclusa-value': {
    about: 'the native engine: value instead of isEnabled',
    distribution: '@esclusa/node',
    load: async (population) => (await import('./own.js')).nativeValue(population),
  },
  'esclusa-wasm': {
    about: 'the engine that @esclusa/node falls back to where it has no addon; otherwise as `esclusa`',
    distribution: '@esclusa/node',
    load: async (population) => (await import('./own.js')).fallback(population),
  },
  noop: {
    about: 'a native function of two arguments that does nothing, in an addon with the feature `noop`',
    distribution: '@esclusa/node',
    load: async (population) => (await import('./noop.js')).noop(population),
  },
  loop: {
    about: 'nothing but the loop, to be taken off from others where it matters',
    distribution: null,
    load: async () => (await import('./by-hand.js')).loop(),
  },
  'by-hand-if': {
    about: 'one function: three looks at sets and a 64-bit hash of the user',
    distribution: null,
    load: async (population) => (await import('./by-hand.js')).condition(population),
  },
  'by-hand-engine': {
    about: 'the least engine that reads such flags from rows: contenders/by-hand.js, with the same 64-bit hash',
    distribution: null,
    load: async (population) => (await import('./by-hand.js')).engine(population),
  },
  'openfeature-esclusa': {
    about: 'getBooleanValue of the server SDK around EsclusaProvider; no hooks',
    distribution: '@openfeature/server-sdk',
    load: async (population) => (await import('./openfeature.js')).esclusa(population),
  },
  'openfeature-esclusa-one-caller': {
    about: 'the same, with all questions about one caller',
    distribution: '@openfeature/server-sdk',
    load: async (population) => (await import('./openfeature.js')).oneCaller(population),
  },
  'openfeature-constant': {
    about: 'getBooleanValue of the server SDK around a provider that always gives the same; no hooks',
    distribution: '@openfeature/server-sdk',
    load: async (population) => (await import('./openfeature.js')).constant(population),
  },
  'openfeature-web-esclusa': {
    about: 'getBooleanValue of the web SDK around EsclusaWebProvider, for the one caller that the SDK was given; no hooks',
    distribution: '@openfeature/web-sdk',
    load: async (population) => (await import('./openfeature-web.js')).esclusa(population),
  },
  'openfeature-web-constant': {
    about: 'getBooleanValue of the web SDK around a provider that always gives the same; no hooks',
    distribution: '@openfeature/web-sdk',
    load: async (population) => (await import('./openfeature-web.js')).constant(population),
  },
  '@configcat/sdk': {
    about: 'getValue of a snapshot() for each answer; offline, with a config in its cache',
    distribution: '@configcat/sdk',
    load: async (population) => (await import('./configcat.js')).configCat(population),
  },
  '@eppo/node-server-sdk': {
    about: 'getBooleanAssignment; polled once, from loopback; the allocation asks for no log',
    distribution: '@eppo/node-server-sdk',
    load: async (population) => (await import('./eppo.js')).eppo(population),
  },
  'flagsmith-nodejs': {
    about: 'getIdentityFlags and isFeatureEnabled, which must be awaited; offline, with the environment from a file',
    distribution: 'flagsmith-nodejs',
    load: async (population) => (await import('./flagsmith.js')).flagsmith(population),
  },
  '@flipt-io/flipt-client-js': {
    about: 'evaluateVariant, because a boolean flag cannot combine targets and percentage; a fetcher with a document in memory',
    distribution: '@flipt-io/flipt-client-js',
    load: async (population) => (await import('./flipt.js')).flipt(population),
  },
  '@growthbook/growthbook': {
    about: 'isOn of a GrowthBookClient; no tracking and no network',
    distribution: '@growthbook/growthbook',
    load: async (population) => (await import('./growthbook.js')).growthBook(population),
  },
  '@launchdarkly/node-server-sdk': {
    about: 'boolVariation, which must be awaited, of flags from a file; no events, diagnostics or logging',
    distribution: '@launchdarkly/node-server-sdk',
    load: async (population) => (await import('./launchdarkly.js')).launchDarkly(population),
  },
  '@openfeature/flagd-core': {
    about: 'resolveBooleanEvaluation of a FlagdCore with a document in memory; a logger that says nothing',
    distribution: '@openfeature/flagd-core',
    load: async (population) => (await import('./flagd.js')).flagd(population),
  },
  '@statsig/statsig-node-core': {
    about: 'checkGate without exposures, over a data store; network and logging off; it still counts each check',
    distribution: '@statsig/statsig-node-core',
    load: async (population) => (await import('./statsig.js')).statsig(population),
  },
  'unleash-client': {
    about: 'isEnabled of a bootstrapped client; no fetching, no metrics; it emits an event where an app listens for one',
    distribution: 'unleash-client',
    load: async (population) => (await import('./unleash.js')).unleash(population),
  },
};

// Esclusa itself. It is given its package and knows no host: the page in Chromium uses it too.
import { row } from '../population.js';
import { Unable } from '../workload.js';

/** `isEnabled` with whatever package of ours. */
export function isEnabled({ Context, Flags }, population) {
  const [flags, key] = [published(Flags, population), population.key];
  return {
    context: ([user, company, plan, role, region]) => new Context(user, { company, plan, roles: [role], region }),
    ask: (context) => flags.isEnabled(key, context),
    built: ([user, company, plan, role, region]) => flags.isEnabled(key, { user, company, plan, role, region }),
  };
}

function published(Flags, population) {
  const flags = new Flags();
  flags.publishSync(JSON.stringify([row(population)]));
  return flags;
}

export async function native(population) {
  process.env.ESCLUSA_ENGINE = 'native';
  return isEnabled(await import('@esclusa/node'), population);
}

export async function fallback(population) {
  process.env.ESCLUSA_ENGINE = 'wasm';
  return isEnabled(await import('@esclusa/node'), population);
}

export async function nativeContext(population) {
  process.env.ESCLUSA_ENGINE = 'native';
  return context(await import('@esclusa/node'), population);
}

export async function nativeValue(population) {
  process.env.ESCLUSA_ENGINE = 'native';
  const { Context, Flags } = await import('@esclusa/node');
  const [flags, key] = [published(Flags, population), population.key];
  return {
    ...isEnabled({ Context, Flags }, population),
    ask: (context) => flags.value(key, context),
    built: ([user, company, plan, role, region]) => flags.value(key, { user, company, plan, role, region }),
  };
}

/** A context of its own for each answer. */
function context({ Context, Flags }, population) {
  const [flags, key] = [published(Flags, population), population.key];
  return {
    context: () => {
      throw new Unable('the prebuilt context is that of `esclusa`');
    },
    ask: undefined,
    built: ([user, company, plan, role, region]) => {
      const context = new Context(user, { company, plan, roles: [role], region });
      const answer = flags.isEnabled(key, context);
      context.free();
      return answer;
    },
  };
}

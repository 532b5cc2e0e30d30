/** Asks the server: the only file that knows how. Types come from its own description. */
import createClient from 'openapi-fetch';
import type { components, paths } from './schema.ts';

export type Schemas = components['schemas'];

/** The page is below `panel/`, wherever the server is. */
const ROOT = new URL('..', document.baseURI).href.replace(/\/$/, '');

/** Why the server refuses; `status` is 0 if it does not answer. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: Partial<Schemas['Stale'] & Schemas['Refused'] & Schemas['Problem']> & { conflicts?: unknown };

  constructor(status: number, body: unknown) {
    const read = typeof body === 'object' && body !== null ? body : {};
    super((read as { detail?: string }).detail ?? '');
    this.status = status;
    this.body = read;
  }
}

const client = createClient<paths>({ baseUrl: ROOT, credentials: 'same-origin' });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** What the server answers, or a `Refusal`. */
export async function answered<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await reached(asked);
  if (!response.ok) {
    throw new Refusal(response.status, error);
  }
  return data as T;
}

async function reached<T>(asked: Promise<Answer<T>>): Promise<Answer<T>> {
  try {
    return await asked;
  } catch {
    throw new Refusal(0, null);
  }
}

export { client };

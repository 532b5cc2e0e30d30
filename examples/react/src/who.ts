/** Who may be asking: what the switches offer, and how a choice travels in an address. */

/** A choice of the switches. Companies go by a short name: their ids are the server's business. */
export interface Who {
  user: string;
  company: string;
  plan: string;
  role: string;
  region: string;
}

/** What the switches offer; the first is what the page begins with. */
export const CHOICES: { readonly [Field in keyof Who]: readonly string[] } = {
  plan: ['PREMIUM', 'ENTERPRISE', 'BASIC', 'FREE'],
  role: ['ADMIN', 'OWNER', 'MANAGER', 'AGENT'],
  region: ['CO', 'MX', 'AR', 'ES', 'US'],
  company: ['Andina Seguros', 'Puerto Norte', 'Taller Sol'],
  user: ['valeria', 'mateo', 'sofia', 'bruno'],
};

/** The fields in the order of the switches. */
export const FIELDS = Object.keys(CHOICES) as (keyof Who)[];

/** Reads a choice from an address; whatever is not on offer becomes the first that is. */
export function whoFrom(query: URLSearchParams): Who {
  const chosen = FIELDS.map((field) => {
    const offered = CHOICES[field];
    const wanted = query.get(field) ?? '';
    return [field, offered.includes(wanted) ? wanted : offered[0]];
  });
  return Object.fromEntries(chosen) as Who;
}

/** Writes a choice into an address. */
export function queryOf(who: Who): string {
  return new URLSearchParams({ ...who }).toString();
}

/** What the server hands to the browser of one caller, and how the browser asks for it. */
import type { PlainContext, Projection } from '@esclusa/react';
import { queryOf } from './who.ts';
import type { Who } from './who.ts';

export interface Handed {
  who: Who;
  /** The caller, for the engine in the browser. */
  context: PlainContext;
  /** The values of the flags that this screen asks for. */
  projection: Projection;
  /** The definitions that may go to this browser, ready to be published. */
  snapshot: string;
  /** For the release panel. */
  isRolledBack: boolean;
}

/** What the page itself carries: enough to show it. The snapshot comes when the engine is there. */
export type Given = Omit<Handed, 'snapshot'>;

/** The flags that this screen asks for. */
export const SCREEN_FLAGS = [
  'crm_advanced_features',
  'crm_deal_forecast',
  'crm_bulk_import',
  'crm_export_audit_log',
  'crm_onboarding_tour',
  'crm_pipeline_board',
  'crm_ceo_dashboard',
  'platform_white_label',
];

/** The flag that the release panel watches and takes back. */
export const WATCHED = 'crm_advanced_features';

/** Asks the server; with a path of its own, also to roll the watched flag back or to restore it. */
export async function ask(who: Who, path: 'flags' | 'rollback' | 'restore' = 'flags'): Promise<Handed> {
  const method = path === 'flags' ? 'GET' : 'POST';
  const response = await fetch(`/api/${path}?${queryOf(who)}&flag=${WATCHED}`, { method });
  if (!response.ok) throw new Error(`/api/${path} answered ${response.status}`);
  return (await response.json()) as Handed;
}

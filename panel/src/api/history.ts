/** What was changed, by whom and why; and why somebody gets what they get, now or at a past moment. */
import { useQuery } from '@tanstack/react-query';
import type { Row } from '../flag/row.ts';
import { answered, client, type Schemas } from './client.ts';
import { useIsIn } from './session.ts';

export type Line = Schemas['Line'];

/** The newest lines of a flag, or of all. */
export function useHistory(key: string | null, limit: number) {
  const isIn = useIsIn();
  return useQuery({
    enabled: isIn,
    queryKey: ['history', key, limit],
    queryFn: async () => {
      const query = { limit };
      const asked =
        key === null
          ? answered(client.GET('/api/v1/history', { params: { query } }))
          : answered(client.GET('/api/v1/flags/{key}/history', { params: { path: { key }, query } }));
      return (await asked).history;
    },
  });
}

/** A step of an explanation, as the engine writes it. */
export interface Step {
  step: string;
  code: string;
  outcome: 'yes' | 'no' | 'unknown';
  sentence: string;
  steps?: Step[];
  [operand: string]: unknown;
}

export interface Explanation {
  enabled: boolean;
  variant: string | null;
  reason: string;
  first_no: string | null;
  first_no_code: string | null;
  path: Step[];
}

export interface Question {
  context: Row;
  flag: string | null;
  at: string | null;
}

export const explain = async (question: Question) => {
  const said = await answered(client.POST('/api/v1/explain', { body: question }));
  return said as unknown as { at: string; flags: { flag: string; explanation: Explanation }[] };
};

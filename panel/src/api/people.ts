/** People of whom is asked who gets a flag: those that the server knows, or none. */
import { useQuery } from '@tanstack/react-query';
import type { Row } from '../flag/row.ts';
import { answered, client } from './client.ts';
import { useIsIn } from './session.ts';

export function usePeople() {
  const isIn = useIsIn();
  return useQuery({
    enabled: isIn,
    queryKey: ['people'],
    queryFn: async () => (await answered(client.GET('/api/v1/people'))).people as Row[],
    staleTime: 10 * 60_000,
  });
}

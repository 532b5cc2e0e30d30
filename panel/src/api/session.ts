/** Who is signed in, by a cookie that scripts cannot read. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answered, client, Refusal } from './client.ts';

const KEY = ['session'];

/** Null for somebody who is not signed in. */
export function useSession() {
  return useQuery({
    queryKey: KEY,
    queryFn: () =>
      answered(client.GET('/api/v1/session')).catch((problem: unknown) => {
        if (problem instanceof Refusal && problem.status === 401) {
          return null;
        }
        throw problem;
      }),
    refetchInterval: 60_000,
  });
}

/** Whether there is a session: without one nothing else is asked for. */
export const useIsIn = (): boolean => Boolean(useSession().data);

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => answered(client.POST('/api/v1/session', { body: { token } })),
    onSuccess: (session) => {
      queries.setQueryData(KEY, session);
      void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] });
    },
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => answered(client.DELETE('/api/v1/session')),
    onSuccess: () => {
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] });
      queries.setQueryData(KEY, null);
    },
  });
}

/** Flags, read and changed. Whatever changes one makes every list be read again. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Row } from '../flag/row.ts';
import { answered, client, Refusal } from './client.ts';
import { useIsIn } from './session.ts';

export interface Listed {
  key: string;
  etag: string;
  flag: Row;
}

const FLAGS = ['flags'];
const REFRESH_MS = 5_000;

export function useFlags() {
  const isIn = useIsIn();
  return useQuery({
    enabled: isIn,
    queryKey: FLAGS,
    queryFn: async () => (await answered(client.GET('/api/v1/flags'))).flags as Listed[],
    refetchInterval: REFRESH_MS,
  });
}

export interface Draft {
  key: string;
  flag: Row | null;
  people?: Row[] | null;
}

/** What the server says of a draft: checked, and counted with the people that are sent. */
export const preview = (draft: Draft) => answered(client.POST('/api/v1/preview', { body: draft }));
export type Preview = Awaited<ReturnType<typeof preview>>;

/** One flag as it is now. */
export async function read(key: string): Promise<{ flag: Row; etag: string }> {
  const listed = (await answered(client.GET('/api/v1/flags'))).flags.find((flag) => flag.key === key);
  if (listed === undefined) {
    throw new Refusal(404, null);
  }
  return listed as Listed;
}

export interface Change {
  key: string;
  etag: string;
  flag: Row;
  reason: string;
}

const path = (key: string) => ({ path: { key } });

/** A change that makes the lists and the history be read again. */
function useChange<V, R>(mutationFn: (variables: V) => Promise<R>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn, onSuccess: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' }) });
}

export const useSave = () =>
  useChange(({ key, etag, flag, reason }: Change) =>
    answered(client.PATCH('/api/v1/flags/{key}', { params: { ...path(key), header: { 'If-Match': etag } }, body: { flag, reason } })),
  );

export const useCreate = () =>
  useChange(({ flag, reason }: { flag: Row; reason: string }) => answered(client.POST('/api/v1/flags', { body: { flag, reason } })));

export const useRemove = () =>
  useChange(({ key, etag, reason }: { key: string; etag: string; reason: string }) =>
    answered(client.DELETE('/api/v1/flags/{key}', { params: { ...path(key), header: { 'If-Match': etag } }, body: { reason } })),
  );

export const useRollBack = () =>
  useChange(({ key, reason }: { key: string; reason: string }) =>
    answered(client.POST('/api/v1/flags/{key}/rollback', { params: path(key), body: { reason } })),
  );

export const useUndo = () => useChange((id: string) => answered(client.POST('/api/v1/history/{id}/undo', { params: { path: { id } }, body: {} })));

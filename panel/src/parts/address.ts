/** What the address holds: filters and the flag that is shown, so that a link shows the same. */
import { useCallback } from 'react';
import { useLocation, useSearch } from 'wouter';

/** The query of the address, and a function that changes some of it; an empty value takes a name away. */
export function useAddress(): [URLSearchParams, (change: { [name: string]: string }) => void] {
  // Its text is decoded once too often for a key with a percent sign; it only says when the address changes.
  useSearch();
  const [path, go] = useLocation();
  const change = useCallback(
    (change: { [name: string]: string }) => {
      const next = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries(change)) {
        if (value === '') {
          next.delete(name);
        } else {
          next.set(name, value);
        }
      }
      const query = next.toString();
      go(query === '' ? path : `${path}?${query}`, { replace: true });
    },
    [path, go],
  );
  return [new URLSearchParams(location.search), change];
}

export const addressOf = (key: string, tab?: string) =>
  `/flag?${new URLSearchParams({ key, ...(tab === undefined ? {} : { tab }) }).toString()}`;

// Rows of a long list, fetched from the site in pages as they come into sight. Several pages at a time, old ones forgotten.
import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { useCallback, useState } from 'react';

export const pageSize = 200;

export interface Page<Row> {
  readonly total: number;
  readonly rows: readonly Row[];
}

export interface PagedRows<Row, P extends Page<Row>> {
  /** The first page, with whatever counts it carries; undefined until it came. */
  readonly first: P | undefined;
  readonly total: number;
  readonly error: Error | null;
  rowAt(index: number): Row | undefined;
  onRange(first: number, last: number): void;
  refetch(): void;
}

export interface PagedRowsOptions<P> {
  /** Identifies the list and its filters. */
  readonly key: readonly unknown[];
  fetchPage(page: { offset: number; limit: number }, signal: AbortSignal): Promise<P>;
  readonly refetchIntervalMs?: number;
}

/** Numbers of the pages that hold the rows from `first` to `last`, and always page 0 for the counts. */
export function pagesFor(first: number, last: number): number[] {
  const from = Math.floor(first / pageSize);
  const to = Math.max(from, Math.floor(last / pageSize));
  const pages = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return from === 0 ? pages : [0, ...pages];
}

export function usePagedRows<Row, P extends Page<Row>>(options: PagedRowsOptions<P>): PagedRows<Row, P> {
  const [range, setRange] = useState({ first: 0, last: 0 });
  const onRange = useCallback((first: number, last: number) => {
    setRange((now) => {
      const isSame = String(pagesFor(now.first, now.last)) === String(pagesFor(first, last));
      return isSame ? now : { first, last };
    });
  }, []);
  const pages = pagesFor(range.first, range.last);
  const results = useQueries({
    queries: pages.map((page) => ({
      queryKey: [...options.key, page],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        options.fetchPage({ offset: page * pageSize, limit: pageSize }, signal),
      staleTime: 5_000,
      gcTime: 30_000,
      ...(page === 0 ? { placeholderData: keepPreviousData } : {}),
      ...(options.refetchIntervalMs === undefined ? {} : { refetchInterval: options.refetchIntervalMs }),
    })),
  });
  const byPage = new Map(pages.map((page, index) => [page, results[index]?.data]));
  const first = byPage.get(0);
  return {
    first,
    total: first?.total ?? 0,
    error: results.find((result) => result.error !== null)?.error ?? null,
    rowAt: (index) => byPage.get(Math.floor(index / pageSize))?.rows[index % pageSize],
    onRange,
    refetch: () => {
      for (const result of results) void result.refetch();
    },
  };
}

// A list of the site as a table: what went wrong, that it is on its way, that there is nothing, or its rows as they come into sight.
import type { JSX, ReactNode } from 'react';
import type { Page, PagedRows } from './paged-rows.ts';
import { Loading, ProblemNotice } from './parts.tsx';
import { VirtualTable, type VirtualTableProps } from './virtual-table.tsx';

export type PagedTableProps<Row> = Omit<VirtualTableProps<Row>, 'total' | 'rowAt' | 'onRange'> & {
  readonly list: PagedRows<Row, Page<Row>>;
  /** Shown where the list is there and holds nothing. */
  readonly empty: ReactNode;
};

export function PagedTable<Row>({ list, empty, ...table }: PagedTableProps<Row>): JSX.Element {
  return (
    <>
      {list.error !== null && <ProblemNotice error={list.error} onRetry={list.refetch} />}
      {list.first === undefined && list.error === null && <Loading />}
      {list.first !== undefined && list.total === 0 && empty}
      {list.total > 0 && (
        <VirtualTable {...table} total={list.total} rowAt={list.rowAt} onRange={list.onRange} />
      )}
    </>
  );
}

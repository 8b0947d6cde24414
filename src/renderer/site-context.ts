// The site connection for the component tree, and the queries that several screens share.
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import type { Person, ResearchStudy, RoundState, SiteStatus } from '#ipc/schema.ts';
import type { ImportRun } from './import-run.ts';
import type { RoundRun } from './round-run.ts';
import type { SiteClient, SiteConnection } from './site-client.ts';

export interface Site {
  readonly connection: SiteConnection;
  readonly client: SiteClient;
  readonly importRun: ImportRun;
  readonly roundRun: RoundRun;
}

export const SiteContext = createContext<Site | null>(null);

export function useSite(): Site {
  const site = useContext(SiteContext);
  if (site === null) throw new Error('useSite outside SiteContext');
  return site;
}

export function useSession(): UseQueryResult<Person | null> {
  const { client } = useSite();
  return useQuery({
    queryKey: ['session'],
    queryFn: ({ signal }) => client.session.current(undefined, { signal }),
  });
}

export function useStatus(): UseQueryResult<SiteStatus> {
  const { client } = useSite();
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => client.status(undefined, { signal }),
    refetchInterval: 10_000,
  });
}

export function useResearchStudies(): UseQueryResult<ResearchStudy[]> {
  const { client } = useSite();
  return useQuery({
    queryKey: ['research-studies'],
    queryFn: ({ signal }) => client.researchStudies(undefined, { signal }),
  });
}

export function useRoundState(researchStudyId: string | undefined): UseQueryResult<RoundState> {
  const { client } = useSite();
  return useQuery({
    queryKey: ['round', researchStudyId],
    queryFn: ({ signal }) => client.round.current({ researchStudyId: researchStudyId ?? '' }, { signal }),
    enabled: researchStudyId !== undefined,
    refetchInterval: 5_000,
  });
}

/** How many files are held in quarantine; asked for stewards alone, who decide on them. */
export function useHeldCount(): number {
  const { client } = useSite();
  const role = useSession().data?.role;
  const held = useQuery({
    queryKey: ['quarantine', 'count'],
    queryFn: ({ signal }) => client.quarantine.list({ offset: 0, limit: 1 }, { signal }),
    enabled: role === 'steward',
  });
  return held.data?.total ?? 0;
}

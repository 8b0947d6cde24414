// The sources of a site over a real encrypted store and audit log, for tests.
import path from 'node:path';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/logger.ts';
import { openInbox } from '#site/ingest/sources/inbox.ts';
import type { SourceKind } from '#site/ingest/sources/source-kind.ts';
import { sourceKinds } from '#site/ingest/sources/source-kinds.ts';
import { openSources, type Sources } from '#site/ingest/sources/sources.ts';
import { type IngestSite, openIngestSite, siteKeys } from './ingest-site.ts';

export interface SourcesWorld {
  readonly site: IngestSite;
  readonly sources: Sources;
  /** Names of files that have an outcome. */
  outcomeNames(): string[];
  /** Audit events, oldest first. */
  events(): { action: string; outcome: string; reason: string | null; detail: unknown }[];
  /** Puts an entry in the inbox as an earlier run of the site did. */
  leaveInInbox(kind: string, label: string, name: string): Promise<void>;
  /** The site's process is gone; opens the same profile anew. */
  reopen(): Sources;
  until(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export function openSourcesWorld(kinds: readonly SourceKind[] = sourceKinds): SourcesWorld {
  const site = openIngestSite();
  const profile = path.join(site.folder, 'profile');
  const { linkageKey } = siteKeys;
  const open = () =>
    openSources({
      store: site.store,
      auditLog: site.auditLog,
      linkageKey,
      profile,
      clock: systemClock,
      logger: silentLogger,
      kinds,
      openArrivals: site.ingest.openArrivals,
      importPaths: (paths, actor, signal) => site.ingest.ingestPaths({ paths, actor, signal, mapping: null }),
    });
  let sources = open();
  return {
    site,
    get sources() {
      return sources;
    },
    outcomeNames: () =>
      site.ingest.listOutcomes({ offset: 0, limit: 10_000 }).outcomes.map(({ name }) => name),
    events: () =>
      site.auditLog
        .list({ search: '', action: null, offset: 0, limit: 10_000 }, { name: 'test', role: 'auditor' })
        .entries.map(({ action, outcome, reason, detail }) => ({
          action,
          outcome,
          reason: reason ?? null,
          detail: detail === null ? null : JSON.parse(detail),
        }))
        .reverse()
        .filter(({ action }) => action !== 'audit-read'),
    leaveInInbox: async (kind, label, name) => {
      const inbox = openInbox({ profile, linkageKey });
      const header = { kind, label, receivedAt: '2026-11-25T08:00:00.000Z', name };
      await inbox.append({ header, bytes: Buffer.from('not a data set') });
      await inbox.close();
    },
    reopen: () => {
      sources = open();
      return sources;
    },
    until: async (condition) => {
      for (let tries = 0; !condition(); tries++) {
        if (tries > 1_000) throw new Error('it did not come to that');
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    close: async () => {
      await sources.close();
      site.close();
    },
  };
}

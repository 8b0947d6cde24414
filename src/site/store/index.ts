// The site's encrypted store: schema, queries and transactions. Each stage keeps its own records in it.
import type { Clock } from '#base/clock.ts';
import { openTypedDatabase, openTypedReader, type TypedDatabase } from '#base/typed-database.ts';
import { initialMigration } from '#site/store/migrations/0001-initial.ts';
import { imagingMigration } from '#site/store/migrations/0002-imaging.ts';
import { sourcesMigration } from '#site/store/migrations/0003-sources.ts';
import { optOutMigration } from '#site/store/migrations/0004-opt-outs.ts';
import { offlineBundleMigration } from '#site/store/migrations/0005-offline-bundles.ts';
import { seriesSummaryMigration } from '#site/store/migrations/0006-series-summary.ts';
import type { SiteSchema } from '#site/store/site-schema.ts';

export type { Database } from '#base/sqlite-database.ts';
export { holdWriters } from '#base/sqlite-database.ts';
export type * from '#site/store/audit-schema.ts';
export {
  type ConsentProvision,
  isFullPermit,
  moveProvision,
  type ProvisionActor,
  type ProvisionRule,
  type RuleDays,
} from '#site/store/consent-provision.ts';
export type { ConsentReplacement } from '#site/store/consent-replacement.ts';
export type * from '#site/store/imaging-schema.ts';
export { type ObjectPlace, type ObjectStore, openObjectStore, readObject } from '#site/store/object-store.ts';
export { ShortTexts } from '#site/store/short-texts.ts';
export type * from '#site/store/site-schema.ts';
export type * from '#site/store/source-schema.ts';

/** SQL of each schema version in order. Forward only: a released entry is never changed. */
export const siteMigrations: readonly string[] = [
  initialMigration,
  imagingMigration,
  sourcesMigration,
  optOutMigration,
  offlineBundleMigration,
  seriesSummaryMigration,
];

/** The open store. */
export type Store = TypedDatabase<SiteSchema>;

export interface StoreOptions {
  /** Path of the database file, or ':memory:'. */
  readonly file: string;
  /** 32-byte page key. */
  readonly key: Uint8Array;
  readonly clock: Clock;
}

/**
 * Opens the store, creating or migrating it where needed.
 * @throws DatabaseError DATABASE_UNREADABLE, DATABASE_TOO_NEW.
 */
export function openStore(options: StoreOptions): Store {
  return openTypedDatabase<SiteSchema>({ ...options, migrations: siteMigrations });
}

/** Opens the store to read it, beside the site that writes it. @throws DatabaseError DATABASE_UNREADABLE. */
export function openStoreReader(options: StoreOptions): Store {
  return openTypedReader<SiteSchema>(options);
}

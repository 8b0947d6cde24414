// The table of sources: settings sealed under a key of the site, and what each source gave so far as keyed digests.
import { fromUtf8, toHex, utf8 } from '#base/bytes.ts';
import { isoTime } from '#base/clock.ts';
import { hmacSha256 } from '#federation/crypto/digest.ts';
import { openBytes, sealBytes } from '#federation/crypto/seal.ts';
import { systemRandom } from '#federation/crypto/system-random.ts';
import type { SourceTable, Store } from '#site/store/index.ts';
import { SourceError } from './source-error.ts';
import type { SourceKindName, SourceMemory, SourceSettings } from './source-kind.ts';

export interface StoredSource {
  readonly sourceId: string;
  readonly kind: SourceKindName;
  readonly label: string;
  /** With the secrets. */
  readonly settings: SourceSettings;
  readonly received: number;
  readonly lastReceivedAt: string | null;
  readonly lastCode: string | null;
}

export class SourceRows {
  readonly #store: Store;
  readonly #settingsKey: Uint8Array;
  readonly #objectKey: Uint8Array;

  /** @param linkageKey 32 bytes */
  constructor(store: Store, linkageKey: Uint8Array) {
    this.#store = store;
    this.#settingsKey = hmacSha256(linkageKey, utf8('consilium/source-settings/v1'));
    this.#objectKey = hmacSha256(linkageKey, utf8('consilium/source-object/v1'));
  }

  list(): StoredSource[] {
    const { query } = this.#store;
    const rows = this.#store.all(query.selectFrom('source').selectAll().orderBy('kind').orderBy('label'));
    return rows.map((row) => this.#read(row));
  }

  /** @throws SourceError SOURCE_NOT_FOUND. */
  find(sourceId: string): StoredSource {
    const { query } = this.#store;
    const row = this.#store.get(query.selectFrom('source').selectAll().where('source_id', '=', sourceId));
    if (row === undefined) throw new SourceError('SOURCE_NOT_FOUND', 'There is no such source.');
    return this.#read(row);
  }

  findByLabel(kind: SourceKindName, label: string): StoredSource | undefined {
    const { query } = this.#store;
    const row = this.#store.get(
      query.selectFrom('source').selectAll().where('kind', '=', kind).where('label', '=', label),
    );
    return row === undefined ? undefined : this.#read(row);
  }

  /** Adds the source, or changes the settings of the one with this kind and label. Gives its id. */
  save(kind: SourceKindName, label: string, settings: SourceSettings): string {
    const { query, clock } = this.#store;
    const sourceId = this.findByLabel(kind, label)?.sourceId ?? toHex(systemRandom(8));
    const sealed = {
      sealed_settings: sealBytes(this.#settingsKey, utf8(JSON.stringify(settings)), utf8(sourceId)),
      saved_at: isoTime(clock.nowMs()),
      last_code: null,
      // It was of another server, perhaps.
      sealed_state: null,
    };
    const row = { source_id: sourceId, kind, label, received: 0, last_received_at: null, ...sealed };
    this.#store.run(
      query
        .insertInto('source')
        .values(row)
        .onConflict((conflict) => conflict.column('source_id').doUpdateSet(sealed)),
    );
    return sourceId;
  }

  remove(sourceId: string): void {
    const { query } = this.#store;
    this.#store.run(query.deleteFrom('source_object').where('source_id', '=', sourceId));
    this.#store.run(query.deleteFrom('source').where('source_id', '=', sourceId));
  }

  /** Counts what came from a source; nothing where it was removed since. */
  count(kind: string, label: string, count: number): void {
    const { query, clock } = this.#store;
    this.#store.run(
      query
        .updateTable('source')
        .set(({ eb }) => ({
          received: eb('received', '+', count),
          last_received_at: isoTime(clock.nowMs()),
        }))
        .where('kind', '=', kind as SourceKindName)
        .where('label', '=', label),
    );
  }

  setCode(sourceId: string, code: string | null): void {
    const { query } = this.#store;
    this.#store.run(query.updateTable('source').set({ last_code: code }).where('source_id', '=', sourceId));
  }

  memoryOf(sourceId: string): SourceMemory {
    const { query } = this.#store;
    const digestOf = (name: string) => hmacSha256(this.#objectKey, utf8(`${sourceId}\0${name}`)).slice(0, 16);
    return {
      isKnown: (name) =>
        this.#store.get(
          query
            .selectFrom('source_object')
            .select('source_id')
            .where('source_id', '=', sourceId)
            .where('object_digest', '=', digestOf(name)),
        ) !== undefined,
      add: (name) => {
        const row = { source_id: sourceId, object_digest: digestOf(name) };
        this.#store.run(
          query
            .insertInto('source_object')
            .values(row)
            .onConflict((conflict) => conflict.doNothing()),
        );
      },
      loadState: () => {
        const sealed = this.#store.get(
          query.selectFrom('source').select('sealed_state').where('source_id', '=', sourceId),
        )?.sealed_state;
        return sealed === null || sealed === undefined
          ? null
          : fromUtf8(openBytes(this.#settingsKey, sealed, utf8(`${sourceId} state`)));
      },
      saveState: (state) => {
        const sealed_state = sealBytes(this.#settingsKey, utf8(state), utf8(`${sourceId} state`));
        this.#store.run(query.updateTable('source').set({ sealed_state }).where('source_id', '=', sourceId));
      },
    };
  }

  #read(row: SourceTable): StoredSource {
    const settings = openBytes(this.#settingsKey, row.sealed_settings, utf8(row.source_id));
    return {
      sourceId: row.source_id,
      kind: row.kind,
      label: row.label,
      settings: JSON.parse(fromUtf8(settings)),
      received: row.received,
      lastReceivedAt: row.last_received_at,
      lastCode: row.last_code,
    };
  }
}

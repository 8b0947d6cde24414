import { describe, expect, it } from 'vitest';
import {
  type ConsortiumSchema,
  type ConsortiumStore,
  consortiumMigrations,
  openConsortiumStore,
} from '#consortium/store/index.ts';
import { columnsByTable, looseTables, schemaText, sortedColumns } from '#support/store-schema.ts';

const open = (): ConsortiumStore =>
  openConsortiumStore({ file: ':memory:', key: new Uint8Array(32).fill(1), clock: { nowMs: () => 0 } });

/** Column names by table. The type keeps it equal to ConsortiumSchema: a missing or foreign name does not compile. */
const columns: { [Table in keyof ConsortiumSchema]: Record<keyof ConsortiumSchema[Table], true> } = {
  setting: { name: true, value: true },
  trust_list: { version: true, envelope: true, issued_at: true },
  invitation: {
    code_digest: true,
    site_id: true,
    name: true,
    created_at: true,
    expires_at: true,
    used_at: true,
    request_digest: true,
  },
  site: { site_id: true, name: true, signing_key_id: true, enrolled_at: true },
  research_study: {
    research_study_id: true,
    plan_version: true,
    plan_digest: true,
    envelope: true,
    published_at: true,
  },
  round: {
    research_study_id: true,
    round: true,
    attempt: true,
    kind: true,
    state: true,
    base_model_digest: true,
    envelope: true,
    opened_at: true,
    closes_at: true,
    ended_at: true,
  },
  received_update: {
    update_digest: true,
    sequence: true,
    research_study_id: true,
    round: true,
    attempt: true,
    site_id: true,
    bundle_id: true,
    example_count: true,
    audit_size: true,
    audit_root_hash: true,
    payload_bytes: true,
    sealed_file: true,
    payload: true,
    receipt: true,
    received_at: true,
  },
  global_model: {
    research_study_id: true,
    remedy: true,
    round: true,
    model_digest: true,
    envelope: true,
    tensors: true,
    leaf_seq: true,
    published_at: true,
  },
  model_in_force: {
    research_study_id: true,
    remedy: true,
    round: true,
    model_digest: true,
    envelope: true,
    tensors: true,
    leaf_seq: true,
    published_at: true,
  },
  remedy: {
    research_study_id: true,
    number: true,
    kind: true,
    from_round: true,
    envelope: true,
    decided_at: true,
  },
  remedy_request: {
    request_digest: true,
    research_study_id: true,
    site_id: true,
    kind: true,
    from_round: true,
    to_round: true,
    envelope: true,
    received_at: true,
    carried_out_at: true,
    dismissed_at: true,
    answer: true,
  },
  offline_bundle: {
    site_id: true,
    kind: true,
    sequence: true,
    research_study_id: true,
    manifest_digest: true,
    moved_at: true,
  },
  request_nonce: { key_id: true, nonce: true, seen_at_ms: true },
  site_checkpoint: {
    site_id: true,
    size: true,
    root_hash: true,
    origin: true,
    note: true,
    received_at: true,
  },
  log_leaf: { seq: true, line: true, leaf_hash: true },
  log_node: { level: true, position: true, hash: true },
  log_detail: { seq: true, salt: true, detail: true },
  log_checkpoint: { size: true, note: true, created_at_ms: true },
};

describe("the consortium's store", () => {
  it('has exactly the tables and columns that the typed schema names', () => {
    const store = open();
    expect(columnsByTable(store)).toEqual(sortedColumns(columns));
    store.close();
  });

  it('has the schema of the snapshot (after a new migration: npx vitest run src/consortium/store -u)', async () => {
    const store = open();
    await expect(schemaText(store)).toMatchFileSnapshot('./consortium-schema.snapshot.sql');
    expect(store.prepare('PRAGMA user_version').get()).toEqual({ user_version: consortiumMigrations.length });
    store.close();
  });

  it('has only STRICT tables, so that a value of the wrong type is refused', () => {
    const store = open();
    expect(looseTables(store)).toEqual([]);
    store.close();
  });

  it.each([
    'log_leaf',
    'remedy',
    'log_node',
    'log_checkpoint',
    'received_update',
    'global_model',
    'trust_list',
    'research_study',
  ])('refuses to change or remove rows of %s', (table) => {
    const store = open();
    const triggers = store
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? ORDER BY name`)
      .all(table);
    expect(triggers).toEqual([{ name: `${table}_no_delete` }, { name: `${table}_no_update` }]);
    store.close();
  });

  it('refuses to remove a log entry', () => {
    const store = open();
    const leaf = { seq: 0, line: '{}', leaf_hash: new Uint8Array(32) };
    store.run(store.query.insertInto('log_leaf').values(leaf));
    expect(() => store.run(store.query.deleteFrom('log_leaf'))).toThrow('APPEND_ONLY');
    store.close();
  });
});

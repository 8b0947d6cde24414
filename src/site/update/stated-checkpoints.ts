// What this site's own signed updates say about its audit log: a log that was cut or exchanged since then shows (security.md A6).
import { fromHex } from '#base/bytes.ts';
import { CodedError } from '#base/coded-error.ts';
import { parseEnvelope } from '#federation/records/envelope.ts';
import { modelUpdateRecord } from '#federation/records/model-update.ts';
import { parseStatement } from '#federation/records/statement.ts';
import type { Store } from '#site/store/index.ts';

export interface StatedCheckpoint {
  /** Entries. */
  readonly size: number;
  readonly rootHash: Uint8Array;
}

/** Size and root of the log as each stored update statement gives them. One that cannot be read any more says nothing. */
export function statedCheckpoints(store: Store): StatedCheckpoint[] {
  const rows = store.all(store.query.selectFrom('model_update').select('envelope'));
  return rows.flatMap(({ envelope }) => {
    try {
      const { predicate } = parseStatement(modelUpdateRecord, parseEnvelope(envelope).payload);
      const { size, rootHash } = predicate.auditCheckpoint;
      return [{ size, rootHash: fromHex(rootHash) }];
    } catch (error) {
      if (!(error instanceof CodedError) || error.code === 'BUG') throw error;
      return [];
    }
  });
}

// What is stored of a patient who withdrew, erased (security.md C10): images and their keys at once, facts in slices, because nothing
// finds them by subject and a large table must not hold up the site.
import { setImmediate } from 'node:timers/promises';
import { identitiesOf } from '#site/deidentify/index.ts';
import type { Store } from '#site/store/index.ts';
import { sealName } from './ingest-outcome.ts';
import type { NamedRecords } from './named-records.ts';

export interface ImageErasure {
  readonly subjectId: string;
  /** 32 bytes. */
  readonly linkageKey: Uint8Array;
}

/** Number of images that were there. Their bytes on the disk are noise without their keys. Belongs into the caller's transaction. */
export function eraseImages(store: Store, { subjectId, linkageKey }: ImageErasure): number {
  const statements = prepareImageStatements(store);
  const nameless = sealName(linkageKey, '');
  let imageCount = 0;
  for (const subjectNo of identitiesOf(store, subjectId)) {
    // A file's name can name its patient.
    statements.forgetNames.run(nameless, subjectNo);
    statements.deleteSources.run(subjectNo);
    imageCount += statements.deleteInstances.run(subjectNo).changes;
    statements.deleteSeries.run(subjectNo);
    statements.deleteStudies.run(subjectNo);
  }
  return imageCount;
}

function prepareImageStatements(store: Store) {
  const series = `SELECT imaging_series_no FROM imaging_series JOIN imaging_study USING (imaging_study_no) WHERE subject_no = ?`;
  return {
    forgetNames: store.prepare(
      `UPDATE ingest_outcome SET sealed_name = ? WHERE outcome_id IN
      (SELECT outcome_id FROM sop_instance WHERE imaging_series_no IN (${series}))`,
    ),
    deleteSources: store.prepare(
      `DELETE FROM segmentation_source WHERE sop_instance_no IN
      (SELECT sop_instance_no FROM sop_instance WHERE imaging_series_no IN (${series}))`,
    ),
    deleteInstances: store.prepare(`DELETE FROM sop_instance WHERE imaging_series_no IN (${series})`),
    deleteSeries: store.prepare(
      'DELETE FROM imaging_series WHERE imaging_study_no IN (SELECT imaging_study_no FROM imaging_study WHERE subject_no = ?)',
    ),
    deleteStudies: store.prepare('DELETE FROM imaging_study WHERE subject_no = ?'),
  };
}

/** Numbers of facts looked at in one turn: some hundredths of a second, where all of them are of one code. */
const factsInSlice = 100_000;

/**
 * Deletes the facts of the subjects whose erasure is pending when it is called; whoever joins them meanwhile stays pending. Stopped at
 * any moment, it goes on when it is called again.
 * @returns how many were deleted
 */
export async function erasePendingFacts(store: Store, named: NamedRecords): Promise<number> {
  const pending = store.prepareColumn('SELECT subject_no FROM subject WHERE erasure_pending = 1');
  const done = store.prepare('UPDATE subject SET erasure_pending = 0 WHERE subject_no = ?');
  const subjectNos = pending.all() as number[];
  if (subjectNos.length === 0) return 0;
  // No more facts of theirs come in; what waits of the keys of those that did would come into the index after its fact is gone.
  await named.merge();
  const deleted = await eraseFacts(store, JSON.stringify(subjectNos));
  store.transaction(() => {
    for (const subjectNo of subjectNos) done.run(subjectNo);
  });
  return deleted;
}

/** Code by code, as they lie. @param list JSON array of subject numbers */
async function eraseFacts(store: Store, list: string): Promise<number> {
  const concepts = store.prepareColumn('SELECT concept_id FROM concept').all() as number[];
  const idsOf = store.prepareRows('SELECT min(fact_id), max(fact_id) FROM fact WHERE concept_id = ?');
  const remove = store.prepare(
    `DELETE FROM fact WHERE concept_id = ? AND fact_id BETWEEN ? AND ?
    AND subject_no IN (SELECT value FROM json_each(?))`,
  );
  let deleted = 0;
  for (const conceptId of concepts) {
    const [lowest, highest] = idsOf.get(conceptId) as [number | null, number | null];
    if (lowest === null || highest === null) continue;
    for (let first = lowest; first <= highest; first += factsInSlice) {
      const last = first + factsInSlice - 1;
      deleted += store.transaction(() => remove.run(conceptId, first, last, list).changes, 'with-the-next');
      await setImmediate();
    }
  }
  return deleted;
}

// Runs the open round of a test site, and decides on its draft as a steward does.
import { modelUpdateRecord } from '#federation/records/model-update.ts';
import { verifyRecord } from '#federation/records/record.ts';
import { parseSafetensors } from '#federation/tensors/safetensors.ts';
import { disclosureReport, roundEvent } from '#ipc/schema.ts';
import { decide } from '#site/approval/index.ts';
import { type RoundEvent, runRound } from '#site/round.ts';
import { ada, personKeys, siteId } from '#support/enrolled-site.ts';
import { type RoundSite, researchStudyId } from '#support/round-site.ts';

export const actor = { name: 'Ina Vest', role: 'investigator' } as const;

/** The draft with all that it is made of. */
export async function run(site: RoundSite, signal = new AbortController().signal) {
  const events: RoundEvent[] = [];
  const onEvent = (event: RoundEvent) => events.push(roundEvent.parse(event));
  const { updateId } = await runRound(site, { researchStudyId, actor, signal, onEvent });
  const row = site.store.get(
    site.store.query.selectFrom('model_update').selectAll().where('update_id', '=', updateId),
  );
  if (row === undefined) throw new Error('no row');
  const trust = site.agreement.trustedKeys();
  const update = verifyRecord(modelUpdateRecord, row.envelope, { trust, atMs: site.clock.nowMs(), siteId });
  const payload = parseSafetensors(row.payload, { maxBytes: row.payload.length });
  return { events, row, update, payload, report: disclosureReport.parse(JSON.parse(row.report)) };
}

export function approve(site: RoundSite, updateId: string, decision: 'approve' | 'refuse' = 'approve'): void {
  const reportDigest = site.store.get(
    site.store.query.selectFrom('model_update').select('report_digest').where('update_id', '=', updateId),
  )?.report_digest;
  decide({
    ...site,
    updateId,
    reportDigest: reportDigest ?? '',
    decision,
    reason: 'a reason',
    person: ada,
    signer: personKeys.ada,
  });
}

/** The cohort that was frozen last. */
export const cohortOf = (site: RoundSite) =>
  site.store.all(site.store.query.selectFrom('cohort').selectAll().orderBy('frozen_at')).at(-1)?.cohort_id ??
  '';

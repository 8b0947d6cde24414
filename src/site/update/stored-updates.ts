// The updates of this site as they are stored: what a steward lists and reviews, and which one a round already has.
import type { RoundKind } from '#federation/records/round.ts';
import type { Actor, AuditLog } from '#site/audit/index.ts';
import type { ModelUpdateTable, Store } from '#site/store/index.ts';
import type { DisclosureReport } from './disclosure-report.ts';
import { UpdateError } from './update-error.ts';

export interface UpdateSummary {
  /** sha256 of the update statement's bytes. */
  readonly updateId: string;
  readonly researchStudyId: string;
  readonly round: number;
  readonly kind: RoundKind;
  readonly state: ModelUpdateTable['state'];
  readonly builtAt: string;
}

export interface UpdateReview {
  readonly summary: UpdateSummary;
  readonly report: DisclosureReport;
  readonly reportDigest: string;
  readonly lossCurve: readonly { readonly step: number; readonly loss: number }[];
}

/** Newest first. */
export function listUpdates(store: Store): UpdateSummary[] {
  const rows = store.all(
    store.query
      .selectFrom('model_update')
      .select(['update_id', 'research_study_id', 'round', 'report', 'state', 'built_at'])
      .orderBy('built_at', 'desc')
      .orderBy('update_id'),
  );
  return rows.map(toSummary);
}

/** @throws UpdateError UPDATE_NOT_FOUND. */
export function findUpdate(store: Store, updateId: string): UpdateSummary {
  return toSummary(loadUpdate(store, updateId));
}

/** The report of an update, with its loss curve. That it was shown is an audit event. @throws UpdateError UPDATE_NOT_FOUND. */
export function reviewUpdate(
  { store, auditLog }: { readonly store: Store; readonly auditLog: AuditLog },
  updateId: string,
  actor: Actor,
): UpdateReview {
  const row = loadUpdate(store, updateId);
  const run = store.get(
    store.query.selectFrom('training_run').select('result').where('run_id', '=', row.run_id),
  );
  const { lossCurve = [] } = JSON.parse(run?.result ?? '{}') as {
    lossCurve?: { step: number; loss: number }[];
  };
  store.transaction(() =>
    auditLog.append({
      actor: actor.name,
      role: actor.role,
      action: 'report-shown',
      object: `update:${updateId}`,
      researchStudyId: row.research_study_id,
      round: row.round,
      outcome: 'success',
      detail: { reportDigest: row.report_digest },
    }),
  );
  return {
    summary: toSummary(row),
    report: JSON.parse(row.report) as DisclosureReport,
    reportDigest: row.report_digest,
    lossCurve,
  };
}

export interface RoundRef {
  readonly researchStudyId: string;
  readonly round: number;
  readonly attempt: number;
}

/** The newest update of a round's attempt, whatever its state. */
export function latestUpdateOf(
  store: Store,
  round: RoundRef,
): { updateId: string; state: ModelUpdateTable['state'] } | undefined {
  const row = store.get(
    roundUpdates(store, round)
      .select(['update_id', 'state'])
      .orderBy('built_at', 'desc')
      .orderBy('update_id')
      .limit(1),
  );
  return row === undefined ? undefined : { updateId: row.update_id, state: row.state };
}

/** @throws UpdateError ROUND_ANSWERED when an update of this attempt is approved or further: one answer for each round. */
export function refuseAnsweredRound(store: Store, round: RoundRef): void {
  const answered = store.get(
    roundUpdates(store, round)
      .select('state')
      .where('state', 'in', ['approved', 'sealed', 'received'])
      .limit(1),
  );
  if (answered === undefined) return;
  throw new UpdateError('ROUND_ANSWERED', 'This round has an approved update already.', {
    details: { expected: 'no approved update', found: answered.state },
  });
}

/** The last update that the consortium confirmed it holds, of any kind or of one. */
export function lastReceivedUpdate(
  store: Store,
  researchStudyId: string,
  kind?: RoundKind,
): { readonly updateId: string; readonly report: DisclosureReport } | undefined {
  const rows = store.all(
    store.query
      .selectFrom('model_update')
      .leftJoin('round', (join) =>
        join
          .onRef('round.research_study_id', '=', 'model_update.research_study_id')
          .onRef('round.round', '=', 'model_update.round')
          .onRef('round.attempt', '=', 'model_update.attempt'),
      )
      .select(['update_id', 'report'])
      .where('model_update.research_study_id', '=', researchStudyId)
      .where('state', '=', 'received')
      // After a remedy the rounds begin again.
      .orderBy('round.remedy', 'desc')
      .orderBy('model_update.round', 'desc')
      .orderBy('model_update.attempt', 'desc'),
  );
  for (const row of rows) {
    const report = JSON.parse(row.report) as DisclosureReport;
    if (kind === undefined || report.roundKind === kind) return { updateId: row.update_id, report };
  }
  return undefined;
}

function roundUpdates(store: Store, { researchStudyId, round, attempt }: RoundRef) {
  return store.query
    .selectFrom('model_update')
    .where('research_study_id', '=', researchStudyId)
    .where('round', '=', round)
    .where('attempt', '=', attempt);
}

function loadUpdate(store: Store, updateId: string): ModelUpdateTable {
  const row = store.get(store.query.selectFrom('model_update').selectAll().where('update_id', '=', updateId));
  if (row === undefined) throw new UpdateError('UPDATE_NOT_FOUND', 'There is no such update.');
  return row;
}

type SummaryColumns = 'update_id' | 'research_study_id' | 'round' | 'report' | 'state' | 'built_at';

function toSummary(row: Pick<ModelUpdateTable, SummaryColumns>): UpdateSummary {
  return {
    updateId: row.update_id,
    researchStudyId: row.research_study_id,
    round: row.round,
    kind: (JSON.parse(row.report) as DisclosureReport).roundKind,
    state: row.state,
    builtAt: row.built_at,
  };
}
